// Where the console begins to draw.
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { CrashGuard } from './crash'
import { Gate } from './gate'

const root = document.getElementById('root')
if (!root) throw new Error('the page has no root')
createRoot(root).render(
  <StrictMode>
    <CrashGuard>
      <Gate />
    </CrashGuard>
  </StrictMode>,
)
