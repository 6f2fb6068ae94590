import { t } from '../i18n'

export const OPERATORS: { text: string; hint: () => string }[] = [
  { text: 'status:open', hint: () => t('operator.status') },
  { text: 'assignee:me', hint: () => t('operator.assignee') },
  { text: 'from:', hint: () => t('operator.from') },
  { text: 'to:', hint: () => t('operator.to') },
  { text: 'tag:', hint: () => t('operator.tag') },
  { text: 'team:', hint: () => t('operator.team') },
  { text: 'priority:urgent', hint: () => t('operator.priority') },
  { text: 'has:attachment', hint: () => t('operator.has') },
  { text: 'before:', hint: () => t('operator.before') },
  { text: 'after:', hint: () => t('operator.after') },
]
