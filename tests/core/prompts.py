"""Prompts with what a person labelled in them, and what is proposed.

A case is a prompt, the proposals (those of style behind a bar) and, where they differ from those,
the labels: the things that a person would want a map of, each in the shortest form that says which
thing it is. All labels were written before the prompts were first tried; TRIED are the prompts by
which the rules were then made and mended, FRESH those that no rule was made by.
"""

TRIED: list[tuple[str, ...]] = [
    (
        "a dragon on a rock beside a castle, under a stormy sky, oil painting",
        "dragon, rock, castle, sky | oil painting",
    ),
    (
        "masterpiece, best quality, 1girl, solo, long hair, blue eyes, school uniform, "
        "cherry blossoms, outdoors, looking at viewer",
        "girl, hair, eyes, school uniform, cherry blossoms",
    ),
    (
        "(masterpiece:1.2), (best quality:1.2), ((1girl)), silver hair, (red eyes:1.3), "
        "black dress, thighhighs, castle, night, full moon, <lora:detail:0.8>",
        "girl, hair, eyes, dress, thighhighs, castle, moon | night",
    ),
    (
        "a red car and a blue car parked in front of a brick house",
        "red car, blue car, brick house",
    ),
    (
        "A young woman with long red hair stands in a field of sunflowers, holding a "
        "basket of apples. Behind her, a wooden windmill rises against a cloudy sky. The "
        "light is soft and warm.",
        "woman, hair, field, sunflowers, basket, apples, windmill, sky | light",
    ),
    (
        "A cinematic photograph of an astronaut riding a horse on the moon, highly "
        "detailed, 8k, trending on artstation",
        "astronaut, horse, moon | photograph",
    ),
    (
        "score_9, score_8_up, score_7_up, source_anime, rating_safe, 1boy, white_hair, "
        "katana, standing, forest, waterfall",
        "boy, hair, katana, forest, waterfall",
    ),
    (
        "portrait of an old fisherman with a white beard, weathered skin, wearing a yellow "
        "raincoat, 85mm lens, f/1.8, bokeh, by Annie Leibovitz",
        "fisherman, beard, skin, raincoat | portrait, lens, bokeh",
    ),
    (
        "The knight confronts the dragon. The dragon breathes fire over the ruined village "
        "while villagers flee.",
        "knight, dragon, fire, village, villagers",
    ),
    (
        "A cozy coffee shop interior with exposed brick walls, hanging plants and large "
        "windows overlooking a rainy street, a barista pours milk into a cup",
        "shop interior, brick walls, plants, windows, street, barista, milk, cup",
        "coffee shop interior, brick walls, plants, windows, street, barista, milk, cup",
    ),
    (
        "[dragon:phoenix:0.5] above a {snowy|sandy} desert, __weather__, embedding:easynegative",
        "dragon, phoenix, snowy, sandy, desert",
        "dragon, phoenix, desert",
    ),
    (
        "saber \\(fate\\), 1girl, blonde hair, armor, excalibur, holding sword, wind, petals",
        "saber, girl, hair, armor, excalibur, sword, wind, petals",
    ),
    (
        "cat BREAK dog AND bird",
        "cat, dog, bird",
    ),
    (
        "一只红色的龙,岩石上的城堡,暴风雨的天空",
        "一只红色的龙, 岩石上的城堡, 暴风雨的天空",
    ),
    (
        "赤い竜、岩の上の城、嵐の空",
        "赤い竜, 岩の上の城, 嵐の空",
    ),
    (
        "красный дракон, скала, замок",
        "красный дракон, скала, замок",
    ),
    (
        "un dragon rouge sur un rocher, un château, ciel orageux",
        "un dragon rouge sur un rocher, un château, ciel orageux",
    ),
    (
        "an isometric render of a tiny house on a floating island, octane render, unreal "
        "engine 5, pastel colors",
        "house, island | render",
    ),
    (
        "Two men stand on a bridge at sunset, one holds an umbrella, a black dog sits beside them",
        "men, bridge, sunset, umbrella, dog",
    ),
    (
        "a bowl of ramen with a soft boiled egg, green onions and nori on a dark wooden "
        "table, chopsticks resting on the bowl, steam rising, food photography",
        "bowl, ramen, egg, onions, nori, table, chopsticks, steam | food photography",
    ),
    (
        "cyberpunk street at night, neon signs, rain, reflections on wet asphalt, a girl "
        "in a leather jacket leaning against a motorcycle, Blade Runner style",
        "street, neon signs, rain, reflections, asphalt, girl, leather jacket, motorcycle | night",
    ),
    (
        "The Eiffel Tower in Paris, seen from a balcony with flowers, watercolor",
        "Eiffel Tower, Paris, balcony, flowers | watercolor",
    ),
    (
        "A hyperrealistic close-up of a hummingbird hovering next to a red hibiscus "
        "flower, its iridescent feathers glowing in the morning sunlight, creating a sense "
        "of wonder and tranquility",
        "hummingbird, hibiscus flower, feathers, sunlight, wonder | close-up, tranquility",
        "hummingbird, hibiscus flower, feathers, sunlight",
    ),
    (
        "a photo of a golden retriever puppy playing with a tennis ball in a park, no people",
        "retriever puppy, tennis ball, park | photo",
    ),
    (
        "a dragon's head carved out of ice, glowing eyes, isolated on white background",
        "dragon, head, ice, eyes | background",
    ),
    (
        "An orange cat and an orange on a table",
        "cat, orange, table",
    ),
    (
        "a small wooden boat on a calm lake, mountains in the distance, pine trees, mist",
        "boat, lake, mountains, pine trees, mist",
    ),
    (
        'A storefront with a neon sign that says "Open All Night", a bicycle leaning '
        "against the wall, puddles on the pavement",
        "storefront, neon sign, bicycle, wall, puddles, pavement",
    ),
    (
        "in the style of Studio Ghibli, a boy and a girl walk through a lush meadow toward "
        "a castle in the sky, clouds",
        "boy, girl, meadow, castle, sky, clouds",
    ),
    (
        "The image depicts a serene beach scene with turquoise water gently lapping "
        "against white sand. In the foreground, a wooden chair sits beneath a striped "
        "umbrella. Palm trees sway in the breeze, and a sailboat drifts along the horizon. "
        "The sky is painted in hues of pink and orange.",
        "water, sand, chair, umbrella, Palm trees, breeze, sailboat, horizon, sky",
    ),
    (
        "a fox sleeping in a hollow tree, autumn leaves, mushrooms, soft light, children's "
        "book illustration",
        "fox, hollow tree, autumn leaves, mushrooms, children | light, book illustration",
        "fox, tree, autumn leaves, mushrooms",
    ),
    (
        "best quality, highres, 2girls, twin braids, maid outfit, teapot, cake, garden, "
        "white gloves, smile, upper body",
        "girls, twin braids, maid outfit, teapot, cake, garden, gloves, smile, upper body",
        "girls, twin braids, maid outfit, teapot, cake, garden, gloves, smile",
    ),
    (
        "An elderly man in a tweed jacket reads a newspaper on a park bench while pigeons "
        "gather around his feet. A fountain sparkles in the background and children chase "
        "a ball across the grass.",
        "man, tweed jacket, newspaper, park bench, pigeons, feet, fountain, children, "
        "ball, grass | background",
    ),
    (
        "(knight:1.3) in shining armor, sword, shield, (dark forest:0.9), fog, moonlight, "
        "ultra detailed, sharp focus",
        "knight, armor, sword, shield, forest, fog, moonlight",
    ),
    (
        "a glass of red wine and a glass of white wine on a marble countertop, grapes, cheese",
        "glass, red wine, white wine, marble countertop, grapes, cheese",
    ),
    (
        "Wide-angle shot of a spaceship landing on an alien planet with two suns, purple "
        "vegetation, crystals, concept art by John Harris",
        "spaceship, alien planet, suns, vegetation, crystals | shot, concept art",
        "spaceship, planet, suns, vegetation, crystals",
    ),
    (
        "A chef in a white hat slices vegetables on a cutting board. Copper pots hang "
        "above the stove, and sunlight streams through the kitchen window.",
        "chef, hat slices, board, Copper pots, stove, sunlight streams, kitchen window",
        "chef, hat, vegetables, board, Copper pots, stove, sunlight, kitchen window",
    ),
    (
        "macro photo of a ladybug on a dewy leaf, shallow depth of field",
        "ladybug, leaf, shallow | macro photo",
        "ladybug, leaf",
    ),
    (
        "a steampunk airship flying over Victorian London, smoke, chimneys, brass gears, "
        "dramatic clouds",
        "steampunk airship, Victorian London, smoke, chimneys, brass gears, clouds",
        "airship, London, smoke, chimneys, brass gears, clouds",
    ),
    (
        "1girl, witch hat, broom, black cat, pumpkin, crescent moon, haunted house, bats, "
        "halloween",
        "girl, witch hat, broom, cat, pumpkin, moon, house, bats, halloween",
    ),
    (
        "A tall lighthouse stands on a rocky cliff as waves crash against the shore. "
        "Seagulls circle above the tower, and a lone fishing boat struggles through the "
        "storm.",
        "lighthouse, cliff, waves, shore, Seagulls, tower, lone, boat struggles, storm",
        "lighthouse, cliff, waves, shore, Seagulls, tower, boat, storm",
    ),
    (
        "product photo of a perfume bottle on a pedestal, rose petals, silk fabric, studio "
        "lighting, pink background",
        "perfume bottle, pedestal, rose petals, silk fabric, studio | product photo, background",
        "perfume bottle, pedestal, rose petals, silk fabric",
    ),
    (
        "a boy with a backpack and his robot friend look at a giant holographic map in a "
        "ruined library",
        "boy, backpack, robot friend, map, library",
    ),
    (
        "Vintage poster of a train crossing a viaduct in the Alps, snow, pine forest, bold "
        "typography",
        "poster, train, viaduct, Alps, snow, pine forest, bold typography",
        "poster, train, viaduct, Alps, snow, pine forest, typography",
    ),
    (
        "The old wizard casts a spell, his staff glowing with blue energy; a raven is "
        "perched on his shoulder and an open book lies on the desk.",
        "wizard, spell, staff, energy, raven, shoulder, book, desk",
    ),
]

FRESH: list[tuple[str, ...]] = [
    (
        "a knitted teddy bear sitting on a windowsill, raindrops on the glass, cozy room, "
        "warm lamp light, shallow focus",
        "bear, windowsill, raindrops, glass, room | lamp light",
        "teddy bear, windowsill, raindrops, glass, room",
    ),
    (
        "(best quality, masterpiece), 1boy, spiky hair, red scarf, motorcycle, desert "
        "highway, sunset, dust, from behind",
        "boy, hair, scarf, motorcycle, desert highway, sunset, dust",
    ),
    (
        "An ancient stone bridge arches over a misty river. On the left bank, two deer "
        "drink from the water, while a heron watches from the reeds.",
        "stone bridge, river, bank, deer drink, water, heron, reeds",
        "stone bridge, river, bank, deer, water, heron, reeds",
    ),
    (
        "a white cat and a black cat sleeping on a blue velvet sofa, a window with "
        "curtains, potted plant",
        "white cat, black cat, velvet sofa, window, curtains, plant",
    ),
    (
        "close-up portrait of an astronaut, reflection of Earth in the visor, stars, "
        "dramatic rim lighting, shot on Kodak film",
        "astronaut, reflection, Earth, visor, stars, rim | portrait, shot, Kodak film",
        "astronaut, reflection, Earth, visor, stars",
    ),
    (
        "A bustling night market with lanterns, food stalls, and crowds of people; smoke "
        "rises from the grills and a vendor hands a skewer to a child.",
        "market, lanterns, food stalls, crowds, people, smoke, grills, vendor, skewer, child",
    ),
    (
        "fantasy landscape, floating islands, waterfalls, giant mushrooms, castle on a "
        "hill, ((purple sky)), two moons, matte painting",
        "landscape, islands, waterfalls, giant mushrooms, castle, hill, sky, moons | matte "
        "painting",
        "landscape, islands, waterfalls, mushrooms, castle, hill, sky, moons",
    ),
    (
        "A minimalist kitchen, marble island, brass faucet, bowl of lemons, morning light "
        "coming through the window",
        "minimalist kitchen, marble island, brass faucet, bowl, lemons, window | light",
        "kitchen, marble island, brass faucet, bowl, lemons, window",
    ),
    (
        "The robot holds a red balloon and the little girl waves at it from the doorway of "
        "a small cottage",
        "robot, balloon, girl waves, doorway, cottage",
        "robot, balloon, girl, doorway, cottage",
    ),
    (
        "1girl, kimono, cherry tree, paper umbrella, stone lantern, koi pond, petals, "
        "night, full body, <lora:ink:0.6>",
        "girl, kimono, cherry tree, paper umbrella, stone lantern, koi pond, petals, body | night",
        "girl, kimono, cherry tree, paper umbrella, stone lantern, koi pond, petals",
    ),
]
