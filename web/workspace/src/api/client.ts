// The one way to the server: JSON in and out, problems as ApiError, CSRF and idempotency by itself.
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null,
    readonly requestId: string | null,
    readonly body: Record<string, unknown>,
  ) {
    super(message)
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>
interface Options {
  query?: Query
  body?: unknown
  signal?: AbortSignal
  key?: string
}

const BASE = '/api/v1'
let csrfToken = ''
export const setCsrfToken = (token: string): void => {
  csrfToken = token
}

// The page asks for the password again when the session has ended; nothing typed is lost.
const expiredListeners = new Set<() => void>()
export function onSessionExpired(listener: () => void): () => void {
  expiredListeners.add(listener)
  return () => expiredListeners.delete(listener)
}

export function apiUrl(path: string, query?: Query): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {}))
    if (value !== null && value !== undefined && value !== '') search.set(key, String(value))
  const text = search.toString()
  return BASE + path + (text ? `?${text}` : '')
}

// Links for others to open; a server that was not told its public address gives only the path.
export const fullUrl = (link: string): string => new URL(link, location.origin).href

async function problem(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>
  const text = (key: string) => (typeof body[key] === 'string' ? (body[key] as string) : null)
  return new ApiError(
    response.status,
    text('code') ?? 'error',
    text('detail') ?? text('title') ?? response.statusText,
    text('field'),
    text('request_id') ?? response.headers.get('x-request-id'),
    body,
  )
}

async function request<T>(method: string, path: string, { query, body, signal, key }: Options = {}): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (method !== 'GET') headers['x-csrf-token'] = csrfToken
  if (method === 'POST') headers['idempotency-key'] = key ?? newKey()
  if (body !== undefined) headers['content-type'] = 'application/json'
  const response = await fetch(apiUrl(path, query), {
    method,
    headers,
    credentials: 'same-origin',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'offline', '', null, null, {})
  })
  if (!response.ok) {
    const error = await problem(response)
    if (error.status === 401 && csrfToken) for (const listener of expiredListeners) listener()
    throw error
  }
  return (response.status === 204 ? undefined : await response.json()) as T
}

// crypto.randomUUID exists in secure contexts only; a desk on plain http in a local network must work as well.
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

// Whether the server said no. After anything else it may have taken the request: trying again needs the same key.
export const refused = (error: unknown): boolean => error instanceof ApiError && error.status >= 400 && error.status < 500

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) =>
    request<T>('GET', path, { ...(query ? { query } : {}), ...(signal ? { signal } : {}) }),
  post: <T>(path: string, body?: unknown, key?: string) =>
    request<T>('POST', path, { body: body ?? {}, ...(key ? { key } : {}) }),
  patch: <T>(path: string, body: unknown) => request<T>('PATCH', path, { body }),
  del: <T = void>(path: string) => request<T>('DELETE', path),
}

// Uploads go by XMLHttpRequest, the only one that tells progress.
export function upload<T>(
  file: File,
  onProgress: (share: number) => void,
  inline = false,
): { done: Promise<T>; cancel: () => void } {
  const xhr = new XMLHttpRequest()
  const done = new Promise<T>((resolve, reject) => {
    xhr.open('POST', apiUrl('/attachments', { file_name: file.name || 'image.png', inline: inline || null }))
    xhr.setRequestHeader('content-type', file.type || 'application/octet-stream')
    xhr.setRequestHeader('x-csrf-token', csrfToken)
    xhr.setRequestHeader('idempotency-key', newKey())
    xhr.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0)
    xhr.onload = async () => {
      const response = new Response(xhr.responseText, { status: xhr.status })
      if (xhr.status < 300) resolve(JSON.parse(xhr.responseText) as T)
      else reject(await problem(response))
    }
    xhr.onerror = () => reject(new ApiError(0, 'offline', '', null, null, {}))
    xhr.onabort = () => reject(new DOMException('', 'AbortError'))
    xhr.send(file)
  })
  return { done, cancel: () => xhr.abort() }
}
