/** The accounts one client key may use, by their tags and plans. */

/** Empty lists ask nothing; what is denied counts over what is allowed. */
export type AccountScope = {
  /** Equal for equal scopes; put together once by whoever makes the scope. */
  readonly key: string
  /** An account must carry one of these tags, when there are any. */
  readonly anyTag: readonly string[]
  readonly noTag: readonly string[]
  /** An account must be on one of these plans, when there are any; one whose plan is unknown is not. */
  readonly anyPlan: readonly string[]
  readonly noPlan: readonly string[]
}

/** True when accounts with these tags and this plan are among those of the scope; undefined = everybody is. */
export function isInScope(
  account: { readonly tags: readonly string[]; readonly plan: string | undefined },
  scope: AccountScope | undefined,
): boolean {
  if (scope === undefined) return true
  const { tags, plan } = account
  if (scope.noTag.some(tag => tags.includes(tag))) return false
  if (plan !== undefined && scope.noPlan.includes(plan)) return false
  if (scope.anyTag.length > 0 && !scope.anyTag.some(tag => tags.includes(tag))) return false
  return scope.anyPlan.length === 0 || (plan !== undefined && scope.anyPlan.includes(plan))
}
