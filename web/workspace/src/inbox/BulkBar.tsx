// Changes to all selected tickets, with one Undo for the whole change.
import { IconCircleDot, IconTag, IconUser, IconX } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import { tagsQuery, useMay, usersQuery } from '../api/queries'
import { STATUSES, type Ticket } from '../api/types'
import { t } from '../i18n'
import { StatusDot, statusName } from '../ui/labels'
import { Picker } from '../ui/Picker'
import { toast, toastUndo } from '../ui/toast'

export function BulkBar({ tickets, clear }: { tickets: Ticket[]; clear: () => void }) {
  const client = useQueryClient()
  const may = useMay()
  const [progress, setProgress] = useState<number | null>(null)
  const { data: users } = useQuery({ ...usersQuery, enabled: may('user.read') })
  const { data: tags } = useQuery(tagsQuery)

  // The reverse of a change restores what each ticket had.
  const apply = async (list: Ticket[], body: (ticket: Ticket) => object, back?: (ticket: Ticket) => object) => {
    let failed = 0
    const done: Ticket[] = []
    for (const [i, ticket] of list.entries()) {
      setProgress(i)
      await api.patch(`/tickets/${ticket.id}`, body(ticket)).then(
        () => done.push(ticket),
        () => failed++,
      )
    }
    setProgress(null)
    void client.invalidateQueries({ queryKey: ['tickets'] })
    void client.invalidateQueries({ queryKey: ['counts'] })
    clear()
    if (failed) toast(t('bulk.failed', { done: done.length, failed }))
    const message = t('bulk.done', { n: done.length })
    if (back && done.length) toastUndo(message, () => void apply(done, back))
    else if (!failed) toast(message)
  }
  const all = (body: (ticket: Ticket) => object, back: (ticket: Ticket) => object) => void apply(tickets, body, back)
  return (
    <div className="listhead bulk" role="toolbar" aria-label={t('bulk.title')}>
      <button type="button" className="iconbtn" onClick={clear} aria-label={t('bulk.clear')}>
        <IconX size={17} />
      </button>
      <strong className="grow ellipsis" role="status">
        {progress === null
          ? t('bulk.selected', { n: tickets.length })
          : t('bulk.progress', { n: progress + 1, all: tickets.length })}
      </strong>
      {may('ticket.write') && (
        <>
          <Picker
            label={t('field.status')}
            className="iconbtn"
            action
            chosen={[]}
            choices={STATUSES.filter((status) => status !== 'new').map((status) => ({
              value: status,
              label: statusName(status),
              icon: <StatusDot status={status} />,
            }))}
            onPick={(status) =>
              all(
                () => ({ status }),
                (ticket) => ({ status: ticket.status }),
              )
            }
          >
            <IconCircleDot size={17} />
          </Picker>
          <Picker
            label={t('field.assignee')}
            className="iconbtn"
            action
            chosen={[]}
            choices={[
              { value: '', label: t('row.unassigned') },
              ...(users ?? []).filter((user) => user.status === 'active').map((user) => ({ value: user.id, label: user.name })),
            ]}
            onPick={(id) =>
              all(
                () => ({ assignee_id: id || null }),
                (ticket) => ({ assignee_id: ticket.assignee?.id ?? null }),
              )
            }
          >
            <IconUser size={17} />
          </Picker>
          <Picker
            label={t('bulk.tag')}
            className="iconbtn"
            action
            chosen={[]}
            choices={(tags ?? []).map((tag) => ({ value: tag.name, label: tag.name }))}
            create={(name) =>
              all(
                () => ({ add_tags: [name] }),
                (ticket) => ({ tags: ticket.tags }),
              )
            }
            onPick={(name) =>
              all(
                () => ({ add_tags: [name] }),
                (ticket) => ({ tags: ticket.tags }),
              )
            }
          >
            <IconTag size={17} />
          </Picker>
        </>
      )}
    </div>
  )
}
