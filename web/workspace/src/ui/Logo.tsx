// A cairn: three stones.
export const Logo = ({ size = 34 }: { size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" role="img" aria-label="Cairn">
    <rect width="32" height="32" rx="9" fill="#364fd2" />
    <g fill="#fff">
      <ellipse cx="16" cy="23" rx="9" ry="3.6" />
      <ellipse cx="16" cy="15.8" rx="6.6" ry="3" />
      <ellipse cx="16" cy="9.6" rx="4.2" ry="2.4" />
    </g>
  </svg>
)
