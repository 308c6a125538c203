/* The family around one person: parents and grandparents, siblings, spouses, children and grandchildren. */
#include "task.h"

enum { NODES_MAX = 64, EDGES_MAX = 512 };

typedef struct {
    kd_register *reg;
    kd_arena *arena;
    kd_family_tree tree;
} growing;

static const kd_family_node *find(const kd_family_tree *tree, int64_t id)
{
    for (size_t i = 0; i < tree->node_count; i++)
        if (tree->nodes[i].brief.id == id) return &tree->nodes[i];
    return NULL;
}

/* Whose parents, children and partners belong into the picture. */
static bool is_followed(const growing *g, const kd_family_node *node, kd_str kind, bool is_chosen)
{
    bool is_self = node == g->tree.nodes;
    if (kd_str_is(kind, "child")) return is_self || node->generation == -1 || node->generation == 1;
    if (kd_str_is(kind, "spouse")) return is_self || node->generation == -1;
    return is_chosen && (is_self || node->generation == -1);
}

static int generation_of(const kd_family_node *node, kd_str kind)
{
    if (kd_str_is(kind, "spouse")) return node->generation;
    return kd_str_is(kind, "child") ? node->generation + 1 : node->generation - 1;
}

static kd_status read_relative(growing *g, size_t at, const kd_rows *rows, kd_error *err)
{
    kd_family_tree *tree = &g->tree;
    const kd_family_node *node = &tree->nodes[at];
    kd_str kind = kd_rows_text(rows, 0);
    int64_t other = kd_rows_int(rows, 3);
    bool is_chosen = kd_rows_int(rows, 2) != 0;
    if (!find(tree, other) && is_followed(g, node, kind, is_chosen) && tree->node_count < NODES_MAX)
        tree->nodes[tree->node_count++] =
            (kd_family_node){ .brief = { .id = other,
                                         .name = kd_arena_str(g->arena, kd_rows_text(rows, 4)),
                                         .state = KD_STR("active"),
                                         .sex = (int)kd_rows_int(rows, 5),
                                         .birth_day = kd_rows_day(rows, 6),
                                         .division = kd_rows_int(rows, 7) },
                              .generation = generation_of(node, kind),
                              .is_open = true };
    bool is_other_way = kd_str_is(kind, "child") || (kd_str_is(kind, "spouse") && other < node->brief.id);
    if (is_other_way || tree->edge_count == EDGES_MAX) return KD_OK; /* told by the other one */
    kd_family_edge *edge = &tree->edges[tree->edge_count++];
    *edge = (kd_family_edge){ .from = node->brief.id,
                              .to = other,
                              .kind = kd_arena_str(g->arena, kind),
                              .records = (int)kd_rows_int(rows, 1),
                              .is_chosen = is_chosen };
    return edge->kind.ptr ? KD_OK : kd_fail(err, KD_LIMIT, "", "no memory for a family");
}

static kd_status read_relatives(growing *g, size_t at, kd_error *err)
{
    kd_rows *rows;
    bool has_row = false;
    KD_TRY(kd_store_query(kd_register_store(g->reg), err, &rows,
                          "select relation.kind, relation.records, relation.is_chosen, person.id, person.name, "
                          "person.sex, person.birth_day, person.division from relation "
                          "join person on person.id = relation.other_id and person.state = 'active' "
                          "where relation.person_id = $1 and relation.kind in ('child', 'father', 'mother', 'spouse') "
                          "order by relation.is_chosen desc, relation.records desc, person.birth_day, person.id",
                          KD_VALUES(kd_int(g->tree.nodes[at].brief.id))));
    kd_status status;
    while ((status = kd_rows_next(rows, &has_row, err)) == KD_OK && has_row) {
        status = read_relative(g, at, rows, err);
        if (status != KD_OK) break;
    }
    kd_rows_close(rows);
    return status;
}

/* Of those who are left out no edge is shown either. */
static void keep_known_edges(kd_family_tree *tree)
{
    size_t kept = 0;
    for (size_t i = 0; i < tree->edge_count; i++)
        if (find(tree, tree->edges[i].to)) tree->edges[kept++] = tree->edges[i];
    tree->edge_count = kept;
}

kd_status kd_person_family(kd_register *reg, int64_t id, kd_arena *arena, kd_family_tree *out_tree, kd_error *err)
{
    growing g = { .reg = reg, .arena = arena };
    g.tree.nodes = kd_arena_array(arena, NODES_MAX, sizeof *g.tree.nodes);
    g.tree.edges = kd_arena_array(arena, EDGES_MAX, sizeof *g.tree.edges);
    if (!g.tree.nodes || !g.tree.edges) return kd_fail(err, KD_LIMIT, "", "no memory for a family");
    KD_TRY(kd_person_brief_load(reg, id, arena, &g.tree.nodes[0].brief, err));
    g.tree.nodes[0].is_open = true;
    g.tree.node_count = 1;
    for (size_t at = 0; at < g.tree.node_count; at++) KD_TRY(read_relatives(&g, at, err));
    keep_known_edges(&g.tree);
    *out_tree = g.tree;
    return KD_OK;
}
