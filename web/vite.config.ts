import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const server = process.env.KINDRED_SERVER ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/api': server } },
  // The console's policy allows no data: scripts or frames; small pictures stay files.
  build: {
    manifest: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1200,
  },
})
