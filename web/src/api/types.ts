// Types of what a route takes and gives, read from the contract; the headers that the client adds are not asked for again.
import type { components, paths } from './schema'

export type Schemas = components['schemas']
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

export type RouteWith<M extends Method> = {
  [R in keyof paths]: paths[R] extends Record<M, { responses: unknown }> ? R : never
}[keyof paths]

export type Operation<M extends Method, R extends RouteWith<M>> = paths[R] extends Record<M, infer O> ? O : never

type In<O, Place extends string> = O extends { parameters: { [P in Place]: infer X } } ? X : never
type PathOf<O> = [In<O, 'path'>] extends [never] ? { path?: undefined } : { path: In<O, 'path'> }
type QueryOf<O> = O extends { parameters: { query: infer Q } }
  ? { query: Q }
  : O extends { parameters: { query?: infer Q } }
    ? { query?: Q }
    : { query?: undefined }
export type Params<O> = PathOf<O> & QueryOf<O>

type BodyOf<O> = O extends { requestBody: { content: { 'application/json': infer B } } }
  ? { body: B }
  : { body?: undefined }
export type Sent<O> = Params<O> & BodyOf<O> & { etag?: string | undefined }

type Contents<T> = T extends { content: { 'application/json': infer A } } ? A : never
export type Answer<O> = O extends { responses: infer S } ? Contents<S[keyof S & (200 | 201 | 202)]> : never
/** One of the things of a page of a list. */
export type Item<O> = Answer<O> extends { items: (infer I)[] } ? I : never
