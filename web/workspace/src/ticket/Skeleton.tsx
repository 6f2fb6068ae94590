import { Lines } from '../ui/State'

export const Skeleton = () => (
  <main className="thread" id="main" tabIndex={-1} aria-busy="true">
    <Lines count={9} height={18} />
  </main>
)
