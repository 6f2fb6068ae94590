import type { ReactNode } from 'react'
import { Logo } from '../ui/Logo'
import './signin.css'

export function PublicFrame({
  title,
  text,
  wide,
  children,
}: {
  title: string
  text?: string
  wide?: boolean
  children: ReactNode
}) {
  return (
    <main className="public" data-wide={wide || undefined}>
      <div className="public-box">
        <Logo size={44} />
        <h1>{title}</h1>
        {text && <p className="dim">{text}</p>}
        {children}
      </div>
    </main>
  )
}
