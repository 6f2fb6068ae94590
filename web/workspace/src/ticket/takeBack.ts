// Undo send: takes a held message back and hands its words to the composer again.
import { api } from '../api/client'
import { queryClient, withMessage } from '../api/queries'
import type { Message, TicketFull } from '../api/types'
import { t } from '../i18n'
import { toast, toastError } from '../ui/toast'

export async function takeBack(message: Message): Promise<Message | null> {
  try {
    const back = await api.del<Message>(`/tickets/${message.ticket_id}/messages/${message.id}/delivery`)
    queryClient.setQueryData<TicketFull>(
      ['ticket', message.ticket_id],
      (old) => old && { ...old, messages: withMessage(old.messages, back) },
    )
    toast(t('undo.done'))
    return message
  } catch (error) {
    toastError(error)
    void queryClient.invalidateQueries({ queryKey: ['ticket', message.ticket_id] })
    return null
  }
}
