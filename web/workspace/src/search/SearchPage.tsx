import { IconSearch, IconTicket, IconUser } from '@tabler/icons-react'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { usePages } from '../api/queries'
import type { Hit } from '../api/types'
import { t } from '../i18n'
import { StatusChip } from '../ui/labels'
import { Empty, Failed, Lines } from '../ui/State'
import { Age } from '../ui/Time'
import { useDelayed } from '../ui/useDelayed'
import { Marked } from './Marked'
import { OPERATORS } from './operators'
import './search.css'

export function SearchPage() {
  const { q = '' } = useSearch({ from: '/shell/search' })
  const navigate = useNavigate({ from: '/search' })
  const [text, setText] = useState(q)
  const input = useRef<HTMLInputElement>(null)
  const delayed = useDelayed(text.trim(), 180)
  useEffect(() => {
    document.title = t('title.search')
    input.current?.focus()
  }, [])
  useEffect(() => {
    if (delayed !== q) void navigate({ search: delayed ? { q: delayed } : {}, replace: true })
  }, [delayed, q, navigate])
  const result = usePages<Hit>(['search'], '/search', { q: delayed }, delayed.length > 0)
  const insert = (operator: string) => {
    setText((old) => `${old}${old && !old.endsWith(' ') ? ' ' : ''}${operator}`)
    input.current?.focus()
  }
  return (
    <main className="page" id="main" tabIndex={-1}>
      <div className="page-inner">
        <h1 className="vh">{t('nav.search')}</h1>
        <label className="search-box">
          <IconSearch size={20} aria-hidden="true" />
          <input
            ref={input}
            type="search"
            value={text}
            onChange={(event) => setText(event.target.value)}
            placeholder={t('search.placeholder')}
            aria-label={t('search.placeholder')}
          />
        </label>
        <div className="operators" role="group" aria-label={t('search.operators')}>
          {OPERATORS.map(({ text: operator, hint }) => (
            <button key={operator} type="button" className="chip operator" title={hint()} onClick={() => insert(operator)}>
              {operator}
            </button>
          ))}
        </div>
        <Results text={delayed} result={result} />
      </div>
    </main>
  )
}

function Results({ text, result }: { text: string; result: ReturnType<typeof usePages<Hit>> }) {
  if (!text) return <Empty icon={<IconSearch size={32} stroke={1.4} />} title={t('search.start')} text={t('search.start_text')} />
  if (result.isPending) return <Lines count={6} />
  if (result.isError) return <Failed error={result.error} retry={() => void result.refetch()} />
  if (!result.items.length)
    return <Empty icon={<IconSearch size={32} stroke={1.4} />} title={t('search.none')} text={t('search.none_text')} />
  return (
    <>
      <ol className="hits">
        {result.items.map((hit) => (
          <li key={`${hit.kind}${hit.ticket?.id}${hit.message_id}${hit.contact?.id}`}>
            <HitLink hit={hit} />
          </li>
        ))}
      </ol>
      {result.hasNextPage && (
        <button type="button" className="linkbtn" onClick={() => void result.fetchNextPage()}>
          {t('table.more')}
        </button>
      )}
    </>
  )
}

function HitLink({ hit }: { hit: Hit }) {
  const body = (
    <>
      <span className="row-flex">
        {hit.kind === 'contact' ? <IconUser size={16} aria-hidden="true" /> : <IconTicket size={16} aria-hidden="true" />}
        <strong className="ellipsis" dir="auto">
          {hit.ticket ? `#${hit.ticket.number} ` : ''}
          {hit.title}
        </strong>
        {hit.ticket && <StatusChip status={hit.ticket.status} />}
        <Age at={hit.at} />
      </span>
      <span className="hit-text" dir="auto">
        <Marked text={hit.snippet} marks={hit.marks} />
      </span>
    </>
  )
  if (hit.kind === 'contact' && hit.contact)
    return (
      <Link className="hit" to="/contacts/$id" params={{ id: hit.contact.id }}>
        {body}
      </Link>
    )
  return (
    <Link
      className="hit"
      to="/inbox/$view"
      params={{ view: 'unresolved' }}
      search={{ ticket: hit.ticket?.id ?? '', ...(hit.message_id ? { message: hit.message_id } : {}) }}
    >
      {body}
    </Link>
  )
}
