// Files on their way to the server: progress, cancel, retry.
import { useRef, useState } from 'react'
import { upload } from '../api/client'
import type { Attachment } from '../api/types'
import { errorText } from '../ui/State'

export interface Upload {
  key: number
  file: File
  share: number
  error: string | null
  cancel: () => void
  retry: () => void
}
let nextKey = 1

export function useUploads(done: (attachment: Attachment, file: File) => void) {
  const [uploads, setUploads] = useState<Upload[]>([])
  const latest = useRef(done)
  latest.current = done
  const patch = (key: number, part: Partial<Upload>) =>
    setUploads((old) => old.map((one) => (one.key === key ? { ...one, ...part } : one)))
  const remove = (key: number) => setUploads((old) => old.filter((one) => one.key !== key))

  function start(file: File, key = nextKey++): void {
    const transfer = upload<Attachment>(file, (share) => patch(key, { share }))
    const entry: Upload = {
      key,
      file,
      share: 0,
      error: null,
      cancel: () => {
        transfer.cancel()
        remove(key)
      },
      retry: () => start(file, key),
    }
    setUploads((old) => [...old.filter((one) => one.key !== key), entry])
    transfer.done.then(
      (attachment) => {
        remove(key)
        latest.current(attachment, file)
      },
      (error: unknown) => {
        if (!(error instanceof DOMException)) patch(key, { error: errorText(error) })
      },
    )
  }
  return {
    uploads,
    add(files: File[]) {
      for (const file of files) start(file)
    },
  }
}
