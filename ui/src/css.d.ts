/// Style sheets are bundled by the build; importing one gives nothing.
declare module "*.css";
declare module "docs:pages" {
  /// The guides of the documentation, in the order of its site.
  export const PAGES: readonly {
    readonly name: string;
    readonly title: string;
    readonly section: string;
    readonly text: string;
  }[];
}
