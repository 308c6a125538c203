// Every address and the page it opens. Pages are loaded when they are opened; the frame around them beside them.
import type { ComponentType } from 'react'
import type { RouteObject } from 'react-router'
import { loadLayout, loadToday } from './bring'
import { Crash } from './crash'
import { RequireSession } from './require_session'
import { Starting } from './starting'

type PageFile = { default: ComponentType }
const pages = import.meta.glob<PageFile>(['../pages/*/{index,detail,new}.tsx', '!../pages/{today,sign-in}/*'])

function bring(load: () => Promise<PageFile>) {
  return async () => ({ Component: (await load()).default })
}

function page(name: string, file = 'index') {
  const load = pages[`../pages/${name}/${file}.tsx`]
  if (!load) throw new Error(`there is no page ${name}/${file}`)
  return bring(load)
}

export const routes: RouteObject[] = [
  {
    element: <RequireSession />,
    errorElement: <Crash />,
    hydrateFallbackElement: <Starting />,
    children: [
      { path: '/password', lazy: page('password') },
      {
        lazy: bring(loadLayout),
        children: [
          {
            errorElement: <Crash />,
            children: [
              { path: '/', lazy: bring(loadToday) },
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
