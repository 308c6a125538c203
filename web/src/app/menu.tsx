// What stands in the menu, and who sees it.
import {
  ApartmentOutlined,
  AuditOutlined,
  CheckSquareOutlined,
  DatabaseOutlined,
  FileAddOutlined,
  HomeOutlined,
  PieChartOutlined,
  SearchOutlined,
  TeamOutlined,
} from '@ant-design/icons'
import type { ReactNode } from 'react'
import { useMay } from './session'

export interface Entry {
  path: string
  word: 'today' | 'find' | 'tasks' | 'births' | 'matches' | 'feeds' | 'overview' | 'accounts' | 'audit'
  permission: string
  icon: ReactNode
}

const entries: Entry[] = [
  { path: '/', word: 'today', permission: 'today.read', icon: <HomeOutlined /> },
  { path: '/find', word: 'find', permission: 'person.find', icon: <SearchOutlined /> },
  { path: '/births', word: 'births', permission: 'birth.read', icon: <FileAddOutlined /> },
  { path: '/tasks', word: 'tasks', permission: 'task.read', icon: <CheckSquareOutlined /> },
  { path: '/feeds', word: 'feeds', permission: 'feed.read', icon: <DatabaseOutlined /> },
  { path: '/matches', word: 'matches', permission: 'match.read', icon: <ApartmentOutlined /> },
  { path: '/overview', word: 'overview', permission: 'overview.read', icon: <PieChartOutlined /> },
  { path: '/accounts', word: 'accounts', permission: 'account.read', icon: <TeamOutlined /> },
  { path: '/audit', word: 'audit', permission: 'audit.read', icon: <AuditOutlined /> },
]

export function useMenu(): Entry[] {
  const may = useMay()
  return entries.filter((entry) => may(entry.permission))
}
