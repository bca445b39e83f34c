/// Who asks the server, and tokens: section 11 of docs/formats/wire.md, as TypeScript.

export interface You {
  /// Empty where nobody is asked who they are.
  readonly name: string;
  readonly role: string;
  /// What they may do: `read`, `record`, `edit`, `change`, `admin`.
  readonly rights: readonly string[];
  /// Patterns of the projects that they may see.
  readonly projects: readonly string[];
  readonly signed_in: boolean;
  readonly makes_tokens: boolean;
  /// The roles that their tokens may have, the one with the fewest rights first.
  readonly roles: readonly string[];
}

export interface TokenInfo {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly projects: readonly string[];
  readonly user: string | null;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly state: "valid" | "expired" | "revoked";
}

export interface TokenList {
  readonly tokens: readonly TokenInfo[];
}

export interface CreatedToken {
  readonly token: string;
}
