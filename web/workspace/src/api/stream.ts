// The page's end of the event stream: through the shared worker, or directly where there is none.
import { StreamConnection, type StreamMessage } from './connection'

export function openStream(emit: (message: StreamMessage) => void): () => void {
  return typeof SharedWorker === 'undefined' ? direct(emit) : shared(emit)
}

function shared(emit: (message: StreamMessage) => void): () => void {
  const worker = new SharedWorker(new URL('./stream.worker.ts', import.meta.url), { type: 'module', name: 'cairn-stream' })
  let close = () => {
    worker.port.postMessage('bye')
    worker.port.close()
  }
  worker.onerror = () => {
    close = direct(emit)
  }
  worker.port.onmessage = ({ data }: MessageEvent<StreamMessage>) => emit(data)
  worker.port.start()
  const forget = wake(() => worker.port.postMessage('hurry'))
  const bye = () => worker.port.postMessage('bye')
  addEventListener('pagehide', bye)
  return () => {
    forget()
    removeEventListener('pagehide', bye)
    close()
  }
}

function direct(emit: (message: StreamMessage) => void): () => void {
  const connection = new StreamConnection(`${location.origin.replace(/^http/, 'ws')}/api/v1/stream`, emit)
  connection.start()
  const forget = wake(() => connection.hurry())
  return () => {
    forget()
    connection.stop()
  }
}

function wake(hurry: () => void): () => void {
  const visible = () => {
    if (document.visibilityState === 'visible') hurry()
  }
  addEventListener('online', hurry)
  document.addEventListener('visibilitychange', visible)
  return () => {
    removeEventListener('online', hurry)
    document.removeEventListener('visibilitychange', visible)
  }
}
