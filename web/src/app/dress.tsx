// Ant Design as the console wears it, in the reader's language.
import { ConfigProvider } from 'antd'
import en from 'antd/es/locale/en_GB'
import zh from 'antd/es/locale/zh_CN'
import dayjs from 'dayjs'
import 'dayjs/locale/zh-cn'
import type { ReactNode } from 'react'
import { currentLanguage, onLanguage, useLanguage } from './language'
import { theme } from './theme'

const tellCalendar = () => dayjs.locale(currentLanguage() === 'zh' ? 'zh-cn' : 'en')
tellCalendar()
onLanguage(tellCalendar)

export function Dress({ children }: { children: ReactNode }) {
  const language = useLanguage()
  return (
    <ConfigProvider theme={theme} locale={language === 'zh' ? zh : en} button={{ autoInsertSpace: false }}>
      {children}
    </ConfigProvider>
  )
}
