/** Calendar days of this machine's time zone (`TZ`), as numbers to count by and as moments to wait for. */

/** A day: `20260131`, and when it begins and ends, in milliseconds since the epoch. */
export type CalendarDay = { readonly bucket: number; readonly startMs: number; readonly endMs: number }

/** Returns the day of a moment. A day may be 23 or 25 hours long. */
export function calendarDayOf(nowMs: number): CalendarDay {
  const date = new Date(nowMs)
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()]
  return {
    bucket: year * 10_000 + (month + 1) * 100 + day,
    startMs: new Date(year, month, day).getTime(),
    endMs: new Date(year, month, day + 1).getTime(),
  }
}
