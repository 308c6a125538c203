// Every address and the page it opens. Pages are loaded when they are opened, but for the first two: one file brings them
// all at once, where many small ones would wait for each other on a slow line.
import { Spin } from 'antd'
import type { ComponentType } from 'react'
import type { RouteObject } from 'react-router'
import SignInPage from '../pages/sign-in'
import TodayPage from '../pages/today'
import { Crash } from './crash'
import { Layout } from './layout'
import { RequireSession } from './require_session'

type PageFile = { default: ComponentType }
const pages = import.meta.glob<PageFile>(['../pages/*/{index,detail,new}.tsx', '!../pages/{today,sign-in}/*'])

function page(name: string, file = 'index') {
  return async () => {
    const load = pages[`../pages/${name}/${file}.tsx`]
    if (!load) throw new Error(`there is no page ${name}/${file}`)
    return { Component: (await load()).default }
  }
}

export const routes: RouteObject[] = [
  { path: '/sign-in', element: <SignInPage />, errorElement: <Crash /> },
  {
    element: <RequireSession />,
    errorElement: <Crash />,
    hydrateFallbackElement: <Spin fullscreen />,
    children: [
      { path: '/password', lazy: page('password') },
      {
        element: <Layout />,
        children: [
          {
            errorElement: <Crash />,
            children: [
              { path: '/', element: <TodayPage /> },
              { path: '/find', lazy: page('find') },
              { path: '/persons/:id', lazy: page('person') },
              { path: '/tasks', lazy: page('tasks') },
              { path: '/tasks/:id', lazy: page('tasks', 'detail') },
              { path: '/births', lazy: page('births') },
              { path: '/births/new', lazy: page('births', 'new') },
              { path: '/births/:id', lazy: page('births', 'detail') },
              { path: '/feeds', lazy: page('feeds') },
              { path: '/matches', lazy: page('matches') },
              { path: '/overview', lazy: page('overview') },
              { path: '/accounts', lazy: page('accounts') },
              { path: '/audit', lazy: page('audit') },
              { path: '*', lazy: page('not-found') },
            ],
          },
        ],
      },
    ],
  },
]
