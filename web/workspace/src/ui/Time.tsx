import { exactTime, messageTime, shortAge } from '../i18n/format'

export const Age = ({ at, className = 'tm' }: { at: string; className?: string }) => (
  <time className={className} dateTime={at} title={exactTime(at)}>
    {shortAge(at)}
  </time>
)
export const When = ({ at, className = 'tm' }: { at: string; className?: string }) => (
  <time className={className} dateTime={at} title={exactTime(at)}>
    {messageTime(at)}
  </time>
)
