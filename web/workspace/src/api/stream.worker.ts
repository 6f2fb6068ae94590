// One socket for all tabs of a browser.
import { StreamConnection, type StreamState } from './connection'

interface WorkerScope {
  location: Location
  onconnect: ((event: MessageEvent) => void) | null
}
const scope = self as unknown as WorkerScope
const ports = new Set<MessagePort>()
let state: StreamState = 'connecting'
let connection: StreamConnection | null = null

function connect(): StreamConnection {
  const url = `${scope.location.origin.replace(/^http/, 'ws')}/api/v1/stream`
  const made = new StreamConnection(url, (message) => {
    if (message.kind === 'state') state = message.state
    for (const port of ports) port.postMessage(message)
  })
  made.start()
  return made
}

scope.onconnect = (event) => {
  const port = event.ports[0]!
  ports.add(port)
  connection ??= connect()
  port.postMessage({ kind: 'state', state })
  port.onmessage = ({ data }: MessageEvent<'hurry' | 'bye'>) => {
    if (data === 'hurry') connection?.hurry()
    if (data !== 'bye') return
    ports.delete(port)
    if (!ports.size) {
      connection?.stop()
      connection = null
    }
  }
  port.start()
}
