import { Button } from '@mantine/core'
import { IconMailbox } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { mailboxesQuery, useMay } from '../api/queries'
import type { Mailbox } from '../api/types'
import { t } from '../i18n'
import { PageFrame, Table } from '../ui/DataPage'
import { Age } from '../ui/Time'

export const Health = ({ box }: { box: Mailbox }) => {
  if (!box.active) return <span className="chip">{t('mailbox.off')}</span>
  if (box.state === 'ok')
    return (
      <span className="chip" data-tone="green">
        {t('mailbox.ok')}
      </span>
    )
  if (box.state === 'failing')
    return (
      <span className="chip" data-tone="red">
        {t('mailbox.failing')}
      </span>
    )
  return <span className="chip">{t('mailbox.unknown')}</span>
}

export function MailboxesPage() {
  const may = useMay()
  const boxes = useQuery(mailboxesQuery)
  const add = may('mailbox.write') && (
    <Button component={Link} to="/settings/mailboxes/new">
      {t('inbox.connect')}
    </Button>
  )
  return (
    <PageFrame title={t('settings.mailboxes')} text={t('mailbox.text')} action={add} wide>
      <Table
        source={boxes}
        items={boxes.data}
        caption={t('settings.mailboxes')}
        columns={[
          { label: t('field.person') },
          { label: t('mailbox.address') },
          { label: t('field.health') },
          { label: t('field.checked'), num: true },
        ]}
        empty={{ icon: <IconMailbox size={32} stroke={1.4} />, title: t('inbox.first'), text: t('inbox.first_text') }}
        row={(box) => (
          <tr key={box.id}>
            <td>
              <Link to="/settings/mailboxes/$id" params={{ id: box.id }}>
                {box.name}
              </Link>
            </td>
            <td>
              <bdi>{box.address}</bdi>
            </td>
            <td>
              <Health box={box} /> {box.state === 'failing' && <span className="small">{box.state_detail}</span>}
            </td>
            <td className="num">{box.state_at && <Age at={box.state_at} />}</td>
          </tr>
        )}
      />
    </PageFrame>
  )
}
