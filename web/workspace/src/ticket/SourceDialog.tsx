import { Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { apiUrl } from '../api/client'
import { t } from '../i18n'
import { CopyButton } from '../ui/CopyButton'
import { Failed, Lines } from '../ui/State'

const LIMIT = 200_000

export default function SourceDialog({ title, path, close }: { title: string; path: string; close: () => void }) {
  const { data, error } = useQuery({
    queryKey: ['source', path],
    queryFn: async () => {
      const response = await fetch(apiUrl(path), { credentials: 'same-origin' })
      if (!response.ok) throw new Error(response.statusText)
      return response.text()
    },
  })
  return (
    <Modal opened onClose={close} title={title} size="xl">
      {error ? (
        <Failed error={error} />
      ) : data === undefined ? (
        <Lines />
      ) : (
        <div className="stack">
          <div className="row-flex">
            <a href={apiUrl(path)} download="message.eml">
              {t('source.download')}
            </a>
            <CopyButton text={data} label={t('source.copy')} />
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard */}
          <pre className="source mono" tabIndex={0} role="region" aria-label={title}>
            {data.slice(0, LIMIT)}
          </pre>
          {data.length > LIMIT && <p className="dim">{t('source.cut')}</p>}
        </div>
      )}
    </Modal>
  )
}
