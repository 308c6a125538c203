import { namespace } from '../../app/language'

export const useWords = namespace('today', {
  zh: {
    title: '今日事项',
    none: '没有待办事项',
    none_text: '新的事项出现后会显示在这里。',
    feed_late: '{{title}}：数据迟到',
    overdue: '逾期 {{n}}',
    oldest: '最早期限 {{date}}',
    linked_at: '登记簿最近一次归人：{{at}}',
    never_linked: '登记簿还没有归人，部门数据导入后即可进行。',
    find: '查找人员',
    new_birth: '登记出生',
    items: '待办事项',
  },
  en: {
    title: 'Today',
    none: 'Nothing needs doing',
    none_text: 'What comes up will stand here.',
    feed_late: '{{title}}: data is late',
    overdue: '{{n}} overdue',
    oldest: 'Oldest due {{date}}',
    linked_at: 'Records last resolved into persons: {{at}}',
    never_linked: "Records have not been resolved into persons yet; bring in departments' files first.",
    find: 'Find a person',
    new_birth: 'Register a birth',
    items: 'What needs doing',
  },
})
