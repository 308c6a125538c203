// Who was told, word for word what, and what that means for the family.
import type { Schemas } from '../../api/types'
import { DateText, Mark, type Tone } from '../../parts/texts'
import { useWords } from './words'

type Notice = Schemas['OfficeNotice']

const TONES: Record<Notice['state'], Tone> = {
  waiting: 'plain',
  sent: 'info',
  accepted: 'good',
  rejected: 'bad',
  withdrawn: 'warn',
}

/** What happens next, in the words one says at the counter; gentler where a child has died. */
export function Next({ birth, isDone }: { birth: Schemas['Birth']; isDone: boolean }) {
  const { t } = useWords()
  const hasDied = (birth.declaration.children ?? []).some((child) => child.death_date)
  const isUnnamed = (birth.declaration.children ?? []).some((child) => !child.name && !child.death_date)
  const open = birth.notices.filter(({ state }) => state === 'waiting' || state === 'sent')
  if (!isDone && open.length === 0) return null
  return (
    <section className="k-panel" data-testid="next">
      <h2>{t(hasDied ? 'next_died' : 'next')}</h2>
      <ul className="k-birth-next">
        {hasDied && <li>{t('next_died_text')}</li>}
        {!hasDied && <li>{t('next_number')}</li>}
        {open.length > 0 && (
          <li>
            {t('next_offices')} <span>{open.map(({ title }) => title).join(t('comma'))}</span>
          </li>
        )}
        {isUnnamed && <li>{t('next_name')}</li>}
        <li>{t('next_wrong')}</li>
      </ul>
    </section>
  )
}

export function Notices({ notices }: { notices: Notice[] }) {
  const { t } = useWords()
  if (notices.length === 0) return null
  return (
    <section className="k-panel">
      <h2>{t('notices')}</h2>
      <ul className="k-birth-notices">
        {notices.map((notice) => (
          <li key={notice.id}>
            <p>
              <strong>{notice.title}</strong> <Mark tone={TONES[notice.state]}>{t(`notice_${notice.state}`)}</Mark>{' '}
              <span className="k-faint">
                <DateText at={notice.answered_at ?? notice.sent_at ?? notice.created_at} withTime />
              </span>
            </p>
            {notice.answer && <p data-content>{notice.answer}</p>}
            <details>
              <summary>{t('notice_gets')}</summary>
              <dl className="k-birth-payload">
                {Object.entries(notice.payload).map(([key, value]) => (
                  <div key={key}>
                    <dt>
                      <code>{key}</code>
                    </dt>
                    <dd data-content>
                      {value === null ? '—' : typeof value === 'string' ? value : JSON.stringify(value)}
                    </dd>
                  </div>
                ))}
              </dl>
            </details>
          </li>
        ))}
      </ul>
    </section>
  )
}
