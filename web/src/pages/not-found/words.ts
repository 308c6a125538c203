import { namespace } from '../../app/language'

export const useWords = namespace('not-found', {
  zh: { title: '没有这个页面', text: '地址可能有误，或者内容已不存在。', home: '回到今日事项' },
  en: {
    title: 'There is no such page',
    text: 'The address may be wrong, or what it showed is gone.',
    home: 'Back to today',
  },
})
