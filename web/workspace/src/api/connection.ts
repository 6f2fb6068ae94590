// One connection to the event stream: resumes after the last event seen, reconnects with full jitter.
import type { Event } from './types'

export type StreamState = 'connecting' | 'open' | 'closed'
export type StreamMessage = { kind: 'event'; event: Event } | { kind: 'resync' } | { kind: 'state'; state: StreamState }

export const backoff = (attempt: number, random: number): number => Math.max(300, random * Math.min(30_000, 500 * 2 ** attempt))

export class StreamConnection {
  private socket: WebSocket | null = null
  private after: number | null = null
  private attempt = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private stopped = false

  constructor(
    private readonly url: string,
    private readonly emit: (message: StreamMessage) => void,
  ) {}

  start(): void {
    this.stopped = false
    this.emit({ kind: 'state', state: 'connecting' })
    const socket = new WebSocket(this.after === null ? this.url : `${this.url}?after=${this.after}`)
    this.socket = socket
    socket.onopen = () => {
      this.attempt = 0
      this.emit({ kind: 'state', state: 'open' })
    }
    socket.onmessage = (frame) => this.receive(JSON.parse(String(frame.data)))
    socket.onclose = () => {
      if (this.socket !== socket || this.stopped) return
      this.emit({ kind: 'state', state: 'closed' })
      this.timer = setTimeout(() => this.start(), backoff(this.attempt++, Math.random()))
    }
  }

  // Back online or visible again: do not wait for the timer.
  hurry(): void {
    if (this.stopped || !this.socket || this.socket.readyState <= WebSocket.OPEN) return
    clearTimeout(this.timer)
    this.start()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
    this.socket?.close()
  }

  private receive(frame: Event | { type: 'hello' | 'resync'; seq: number }): void {
    if (frame.type === 'hello') {
      this.after ??= frame.seq
      return
    }
    if (frame.type === 'resync') {
      this.after = frame.seq
      this.emit({ kind: 'resync' })
      return
    }
    if (this.after !== null && frame.seq <= this.after) return
    this.after = frame.seq
    this.emit({ kind: 'event', event: frame as Event })
  }
}
