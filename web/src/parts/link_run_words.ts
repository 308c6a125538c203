import { namespace } from '../app/language'

export const useWords = namespace('link_run', {
  zh: {
    start: '立即归人',
    not_needed: '没有新的数据或决定，无需归人。',
    records: '来源记录',
    persons: '人',
    created: '新建',
    merged: '合并',
    split: '拆分',
    changed: '变更',
    tasks_opened: '新任务',
    tasks_closed: '自动了结的任务',
    result: '归人结果',
  },
  en: {
    start: 'Link now',
    not_needed: 'No new data and no new decisions: there was nothing to do.',
    records: 'Source records',
    persons: 'Persons',
    created: 'Created',
    merged: 'Merged',
    split: 'Split',
    changed: 'Changed',
    tasks_opened: 'Tasks opened',
    tasks_closed: 'Tasks settled by it',
    result: 'What the link run did',
  },
})
