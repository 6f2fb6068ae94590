import { api } from '../api/client'
import { queryClient, useMay, usePages } from '../api/queries'
import type { Suppression } from '../api/types'
import { t } from '../i18n'
import { PageFrame, Table } from '../ui/DataPage'
import { Age } from '../ui/Time'
import { toastError } from '../ui/toast'

export function SuppressionsPage() {
  const may = useMay()
  const list = usePages<Suppression>(['suppressions'], '/suppressions')
  return (
    <PageFrame title={t('settings.suppressions')} text={t('suppression.text')} wide>
      <Table
        source={list}
        items={list.items}
        caption={t('settings.suppressions')}
        columns={[
          { label: t('mailbox.address') },
          { label: t('suppression.reason') },
          { label: t('field.created'), num: true },
          { label: t('field.actions'), hidden: true },
        ]}
        empty={{ title: t('suppression.none'), text: t('suppression.none_text') }}
        row={(one) => (
          <tr key={one.id}>
            <td>
              <bdi>{one.address}</bdi>
            </td>
            <td>
              {one.reason} <span className="dim">{one.detail}</span>
            </td>
            <td className="num">
              <Age at={one.created_at} />
            </td>
            <td className="num">
              {may('mailbox.write') && (
                <button
                  type="button"
                  className="linkbtn"
                  onClick={() =>
                    void api
                      .del(`/suppressions/${one.id}`)
                      .then(() => queryClient.invalidateQueries({ queryKey: ['suppressions'] }), toastError)
                  }
                >
                  {t('suppression.lift')}
                </button>
              )}
            </td>
          </tr>
        )}
      />
    </PageFrame>
  )
}
