/** Who the demo's provider knows. */

export const audience = 'https://orders.example';

/** A working day: the printed lines should outlive a lunch break. */
export const tokenSeconds = 8 * 3600;

export const clients = {
  alice: ['orders:read', 'orders:write'],
  bob: ['orders:read'],
  carol: ['orders:admin'],
} as const;

export type Client = keyof typeof clients;
