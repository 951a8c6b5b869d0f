// What the gateway tells of AI services' work.

/** An address below a hospital's. */
export const address = (hospital, rest) => `/viewer/hospitals/${encodeURIComponent(hospital)}/${rest}`;

/** What is told there. An error has the server's reason. */
export const ask = async (path, parameters = {}) => {
  const query = new URLSearchParams(parameters);
  const response = await fetch(query.size ? `${path}?${query}` : path, { headers: { Accept: 'application/json' } });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? problem.title ?? `${response.status}`);
};
