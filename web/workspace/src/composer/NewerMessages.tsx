import type { Message } from '../api/types'
import { t } from '../i18n'
import { When } from '../ui/Time'

interface Props {
  messages: Message[]
  sendAnyway: () => void
  review: () => void
}

export function NewerMessages({ messages, sendAnyway, review }: Props) {
  return (
    <div className="newer" role="alert">
      <strong>{t('newer.title', { n: messages.length })}</strong>
      {messages.slice(-3).map((message) => (
        <p key={message.id}>
          <b dir="auto">{message.author.name}</b> <When at={message.created_at} />{' '}
          <span dir="auto">{message.text.slice(0, 300)}</span>
        </p>
      ))}
      <div className="row-flex">
        <button type="button" className="linkbtn" onClick={review}>
          {t('newer.review')}
        </button>
        <button type="button" className="linkbtn" onClick={sendAnyway}>
          {t('composer.send_anyway')}
        </button>
      </div>
    </div>
  )
}
