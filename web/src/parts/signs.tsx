// The few signs that are needed before the console's icons have come.

function Sign({ children, size = '1em' }: { children: string; size?: string }) {
  return (
    <svg className="k-sign" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">
      <path
        d={children}
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
}

const EYE = 'M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12zM12 9a3 3 0 1 0 0 6a3 3 0 1 0 0-6z'

export const EyeSign = () => <Sign>{EYE}</Sign>
export const ShutEyeSign = () => <Sign>{`${EYE}M4 4l16 16`}</Sign>
export const BackSign = () => <Sign>M20 12H4M11 5l-7 7l7 7</Sign>
export const FaultSign = () => <Sign size="20">M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM9 9l6 6M15 9l-6 6</Sign>
export const InfoSign = () => <Sign size="20">M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM12 11v5M12 7.6v.1</Sign>
