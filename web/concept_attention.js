/** The pack's interface in ComfyUI: its parts, each a folder here. */
import { register } from "./host.mjs";

register([]);
