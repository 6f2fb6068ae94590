// A page of settings with a heading, and a paged table with its empty, error and loading states.
import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { t } from '../i18n'
import { Empty, Failed, Lines } from './State'

export function PageFrame({
  title,
  text,
  action,
  wide,
  children,
}: {
  title: string
  text?: string
  action?: ReactNode
  wide?: boolean
  children: ReactNode
}) {
  return (
    <div className="page-inner" data-wide={wide || undefined}>
      <header className="page-head">
        <div className="grow">
          <h1>{title}</h1>
          {text && <p>{text}</p>}
        </div>
        {action}
      </header>
      {children}
    </div>
  )
}

interface Paged {
  isPending: boolean
  error: unknown
  refetch: () => unknown
  hasNextPage?: boolean
  isFetchingNextPage?: boolean
  fetchNextPage?: () => unknown
}
interface TableProps<T> {
  source: Paged
  items: T[] | undefined
  columns: { label: string; num?: boolean; hidden?: boolean }[]
  row: (item: T) => ReactNode
  caption: string
  empty: { title: string; text?: string; icon?: ReactNode; action?: ReactNode }
}

export function Table<T>({ source, items, columns, row, caption, empty }: TableProps<T>) {
  if (source.isPending) return <Lines count={5} />
  if (source.error && !items?.length) return <Failed error={source.error} retry={() => void source.refetch()} />
  if (!items?.length) return <Empty {...empty} />
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard */}
      <div className="table-wrap" role="region" aria-label={caption} tabIndex={0}>
        <table className="table">
          <caption className="vh">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.label} scope="col" className={column.num ? 'num' : undefined}>
                  {column.hidden ? <span className="vh">{column.label}</span> : column.label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{items.map(row)}</tbody>
        </table>
      </div>
      {source.hasNextPage && (
        <div>
          <Button
            variant="default"
            size="xs"
            loading={source.isFetchingNextPage ?? false}
            onClick={() => void source.fetchNextPage?.()}
          >
            {t('table.more')}
          </Button>
        </div>
      )}
    </>
  )
}
