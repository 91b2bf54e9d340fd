/** Ordinals of the route dictionary that exist before any configuration, and are never refused by the budget. */

/** Requests that matched no route: label `none`. */
export const noRoute = 0;
/** What the budget has no room for: label `other`. */
export const otherRoute = 1;
export const reservedRouteNames = ['none', 'other'] as const;
