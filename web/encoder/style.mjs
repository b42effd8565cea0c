/** How the Concept Encoder's row looks, in the host's own colours; inside its shadow root. */

export const css = `
:host { display: block; overflow: hidden; }
* { box-sizing: border-box; }
.root {
    --ink: var(--component-node-foreground, var(--input-text, #ddd));
    --muted: var(--component-node-foreground-secondary, var(--descrip-text, #999));
    --field: var(--component-node-widget-background, var(--comfy-input-bg, #222));
    --over: var(--component-node-widget-background-hovered, var(--comfy-menu-secondary-bg, #333));
    --line: var(--component-node-border, var(--border-color, #4e4e4e));
    --strong: var(--primary-background, var(--p-primary-color, #0b8ce9));
    color: var(--ink); font: 12px/1.3 Inter, system-ui, sans-serif; user-select: none;
}
.bar { display: flex; gap: 4px; }
button {
    font: inherit; color: inherit; margin: 0; border: 1px solid transparent; cursor: pointer;
    height: 26px; padding: 0 10px; border-radius: 6px; background: var(--field);
    white-space: nowrap; overflow: hidden; text-overflow: ellipsis; max-width: 100%;
}
button:hover { background: var(--over); }
button:disabled { opacity: .5; cursor: default; }
button:focus-visible { outline: 2px solid var(--strong); outline-offset: -2px; }
.open { flex: 1; }
.open[aria-expanded=true] { background: var(--over); }
.chips { display: flex; flex-wrap: wrap; gap: 4px; padding: 6px 0 0; overflow-y: auto; }
.chips[hidden] { display: none; }
.chips button { height: 24px; border-radius: 12px; border-color: var(--line); background: none; }
.chips button:hover { background: var(--over); }
.chips .style { border-style: dashed; color: var(--muted); }
.bar button { border-color: var(--line); }
.chips [aria-pressed=true], .chips [aria-pressed=true]:hover { background: var(--strong); border-color: var(--strong); border-style: solid; color: #fff; }
@media (forced-colors: active) {
    .bar button { border-color: var(--line); }
.chips [aria-pressed=true], .chips [aria-pressed=true]:hover { border-width: 3px; }
}
`;
