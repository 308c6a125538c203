// The choices at the head of a page on a desk.
import { AccountMenu, AreaChoice, PurposeChoice } from './choices'
import { LanguageChoice } from './language_choice'

export default function DeskChoices() {
  return (
    <div className="k-head-choices">
      <AreaChoice />
      <PurposeChoice />
      <LanguageChoice />
      <AccountMenu />
    </div>
  )
}
