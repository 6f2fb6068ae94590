import { api } from '../api/client'
import { queryClient, usePages } from '../api/queries'
import type { Job } from '../api/types'
import { t } from '../i18n'
import { PageFrame, Table } from '../ui/DataPage'
import { Age } from '../ui/Time'
import { toastError } from '../ui/toast'

export function JobsPage() {
  const list = usePages<Job>(['jobs'], '/jobs', { state: 'dead' })
  return (
    <PageFrame title={t('settings.jobs')} text={t('job.text')} wide>
      <Table
        source={list}
        items={list.items}
        caption={t('settings.jobs')}
        columns={[
          { label: t('job.kind') },
          { label: t('job.error') },
          { label: t('mail.attempts'), num: true },
          { label: t('field.created'), num: true },
          { label: t('field.actions'), hidden: true },
        ]}
        empty={{ title: t('job.none'), text: t('job.none_text') }}
        row={(job) => (
          <tr key={job.id}>
            <td className="mono">{job.kind}</td>
            <td>{job.error ?? job.last_error}</td>
            <td className="num">{job.attempts}</td>
            <td className="num">
              <Age at={job.created_at} />
            </td>
            <td className="num">
              <button
                type="button"
                className="linkbtn"
                onClick={() =>
                  void api
                    .post(`/jobs/${job.id}/retry`)
                    .then(() => queryClient.invalidateQueries({ queryKey: ['jobs'] }), toastError)
                }
              >
                {t('mail.again')}
              </button>
            </td>
          </tr>
        )}
      />
    </PageFrame>
  )
}
