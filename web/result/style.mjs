/** How a result's text looks, in the host's own colours. */

export const css = `
[data-ca=result] {
    --ink: var(--component-node-foreground, var(--input-text, #ddd));
    --field: var(--component-node-widget-background, var(--comfy-input-bg, #222));
    --over: var(--component-node-widget-background-hovered, var(--comfy-menu-secondary-bg, #333));
    --strong: var(--primary-background, var(--p-primary-color, #0b8ce9));
    position: relative; display: flex; box-sizing: border-box; color: var(--ink);
}
[data-ca=result] textarea {
    flex: 1; min-width: 0; min-height: 0; box-sizing: border-box; margin: 0; padding: 6px 8px;
    border: 1px solid transparent; border-radius: 6px; outline: none; resize: none;
    background: var(--field); color: inherit; font: 12px/17px Inter, system-ui, sans-serif;
    user-select: text; cursor: text; overflow-y: auto; scrollbar-width: thin;
}
[data-ca=result] textarea:focus-visible { border-color: var(--strong); }
[data-ca=result] button {
    position: absolute; top: 3px; right: 3px; width: 24px; height: 24px; margin: 0; padding: 5px;
    border: 0; border-radius: 5px; background: var(--over); color: inherit; cursor: pointer; opacity: 0;
}
[data-ca=result]:hover button, [data-ca=result] button:focus-visible { opacity: 1; }
[data-ca=result] button:focus-visible { outline: 2px solid var(--strong); outline-offset: -2px; }
[data-ca=result] svg {
    display: block; width: 14px; height: 14px; fill: none; stroke: currentColor; stroke-width: 1.4;
    stroke-linejoin: round;
}
@media (hover: none) { [data-ca=result] button { opacity: 1; } }
`;
