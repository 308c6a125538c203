import { namespace } from '../../app/language'

export const useWords = namespace('sign-in', {
  zh: {
    title: '登录',
    about: '人口登记与家庭服务',
    help: '忘记密码或账号被锁定，请联系本单位的系统管理员。',
  },
  en: {
    title: 'Sign in',
    about: 'Population register and family services',
    help: 'Forgot the password, or the account is locked? Ask your administrator.',
  },
})
