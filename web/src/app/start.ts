// The first script. It is small, so that the question who is signed in, and the console of one who most likely is, are under
// way while React still arrives. index.html names what it imports: nothing waits for it to be read.
import { bringConsole } from './bring'
import './first_question'
import { wasSignedIn } from './kept'
import './style.css'

void import('./main')
if (wasSignedIn()) bringConsole()
