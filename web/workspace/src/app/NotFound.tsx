import { Link } from '@tanstack/react-router'
import { t } from '../i18n'
import { Empty } from '../ui/State'

export const NotFound = () => (
  <main style={{ blockSize: '100dvh' }}>
    <Empty title={t('notfound.title')} text={t('notfound.text')} action={<Link to="/">{t('notfound.home')}</Link>} />
  </main>
)
