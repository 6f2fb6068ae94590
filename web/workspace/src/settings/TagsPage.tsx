import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../api/client'
import { queryClient, tagsQuery, useMay } from '../api/queries'
import { t } from '../i18n'
import { ConfirmDelete } from '../ui/ConfirmDelete'
import { PageFrame, Table } from '../ui/DataPage'
import { toastError } from '../ui/toast'

const refresh = () => void queryClient.invalidateQueries({ queryKey: ['tags'] })

export function TagsPage() {
  const may = useMay()
  const write = may('tag.write')
  const tags = useQuery(tagsQuery)
  const [name, setName] = useState('')
  return (
    <PageFrame title={t('settings.tags')} text={t('tag.text')}>
      {write && (
        <form
          className="filters"
          onSubmit={(event) => {
            event.preventDefault()
            void api.post('/tags', { name: name.trim() }).then(() => {
              setName('')
              refresh()
            }, toastError)
          }}
        >
          <TextInput
            className="grow"
            aria-label={t('tag.new')}
            placeholder={t('tag.new')}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <Button type="submit" disabled={!name.trim()}>
            {t('contact.create')}
          </Button>
        </form>
      )}
      <Table
        source={tags}
        items={tags.data}
        caption={t('settings.tags')}
        columns={[{ label: t('field.person') }, { label: t('tag.uses'), num: true }, { label: t('field.actions'), hidden: true }]}
        empty={{ title: t('tag.none') }}
        row={(tag) => (
          <tr key={tag.id}>
            <td>
              {write ? (
                <input
                  className="select"
                  aria-label={t('tag.rename', { name: tag.name })}
                  defaultValue={tag.name}
                  key={tag.name}
                  onBlur={(event) =>
                    event.target.value.trim() &&
                    event.target.value.trim() !== tag.name &&
                    void api.patch(`/tags/${tag.id}`, { name: event.target.value.trim() }).then(refresh, toastError)
                  }
                />
              ) : (
                tag.name
              )}
            </td>
            <td className="num">
              <Link to="/inbox/$view" params={{ view: 'unresolved' }} search={{ tag: tag.name }}>
                {tag.uses}
              </Link>
            </td>
            <td className="num">
              {write && (
                <ConfirmDelete
                  name={tag.name}
                  label={t('tag.delete', { name: tag.name })}
                  run={() => void api.del(`/tags/${tag.id}`).then(refresh, toastError)}
                />
              )}
            </td>
          </tr>
        )}
      />
    </PageFrame>
  )
}
