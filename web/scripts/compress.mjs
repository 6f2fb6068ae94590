// Puts a .br and a .gz beside every text file of the build, so that the server sends them as they are.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import zlib from 'node:zlib'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
for (const name of fs.readdirSync(dist, { recursive: true })) {
  if (!/\.(html|js|css|svg|json|webmanifest)$/.test(name)) continue
  const file = path.join(dist, name)
  const text = fs.readFileSync(file)
  const options = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: text.length } }
  fs.writeFileSync(`${file}.br`, zlib.brotliCompressSync(text, options))
  fs.writeFileSync(`${file}.gz`, zlib.gzipSync(text, { level: 9 }))
}
