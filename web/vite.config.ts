import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const server = process.env.CAIRN_URL ?? 'http://127.0.0.1:8091'

export default defineConfig({
  root: 'workspace',
  plugins: [react()],
  server: { proxy: { '/api': { target: server, ws: true } } },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    // A lower target would replace light-dark() by variables that nothing sets.
    cssTarget: ['chrome123', 'edge123', 'firefox121', 'safari17.5'],
    reportCompressedSize: false,
    manifest: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  worker: { format: 'es' },
  test: {
    root: '.',
    environment: 'node',
    pool: 'threads',
    maxWorkers: 2,
    include: ['workspace/src/**/*.test.{ts,tsx}', 'shared/**/*.test.ts'],
  },
})
