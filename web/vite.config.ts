import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { chunkFileNames, codeSplitting, namedSteps } from './scripts/steps'

const server = process.env.KINDRED_SERVER ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react(), namedSteps()],
  server: { proxy: { '/api': server } },
  // The console's policy allows no data: scripts or frames; small pictures stay files.
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      output: { codeSplitting: codeSplitting(), chunkFileNames, entryFileNames: 'assets/start-[hash].js' },
    },
  },
})
