// Ant Design in a calm dress: one green-blue, dark text, no colour that only shouts. Contrasts are of WCAG AA.
import type { ThemeConfig } from 'antd'

export const theme: ThemeConfig = {
  token: {
    colorPrimary: '#1b5e66',
    colorInfo: '#1b5e66',
    colorLink: '#14565e',
    colorLinkHover: '#0d3f45',
    colorSuccess: '#1c6b3c',
    colorWarning: '#8a5200',
    colorError: '#b3261e',
    colorErrorBg: '#fdeeec',
    colorErrorBorder: '#e3a29c',
    colorWarningBg: '#fff5e0',
    colorWarningBorder: '#dcb56a',
    colorSuccessBg: '#e9f5ec',
    colorInfoBg: '#e8f2f3',
    colorInfoBorder: '#9cc0c3',
    colorTextBase: '#17211f',
    colorTextSecondary: '#46514f',
    colorTextTertiary: '#5a6664',
    colorTextPlaceholder: '#667270',
    colorBgLayout: '#f4f6f5',
    colorBorder: '#b9c3c1',
    colorBorderSecondary: '#dfe5e3',
    borderRadius: 6,
    fontSize: 15,
    controlHeight: 36,
    controlHeightLG: 44,
    motion: !window.matchMedia('(prefers-reduced-motion: reduce)').matches,
    motionDurationMid: '0.12s',
    motionDurationSlow: '0.18s',
    fontFamily:
      "system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Hiragino Sans GB', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif",
  },
}
