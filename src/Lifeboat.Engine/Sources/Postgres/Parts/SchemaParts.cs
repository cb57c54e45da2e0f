using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>
/// The tables of a captured schema, each with all statements of its definition, by the text that pg_dump wrote. Names in it are always with their schema, for
/// pg_dump's search path is empty.
/// </summary>
internal sealed class SchemaParts
{
    private readonly Dictionary<RelationName, TableDefinition> _tables = [];
    private readonly Dictionary<RelationName, string> _others = [];
    private readonly List<(RelationName Name, HashSet<RelationName> Mentions)> _views = [];

    /// <summary>What belongs to a table: its sequences, indexes, and statistics (whose names are a space of their own).</summary>
    private readonly Dictionary<(RelationName Name, bool Statistics), RelationName> _owners = [];

    private readonly List<(RelationName Subject, bool Statistics, DefinitionStatement Statement)> _statements = [];

    private readonly HashSet<RelationName> _sequences = [];

    /// <summary>What foreign keys refer to, by their tables and names.</summary>
    private readonly Dictionary<(RelationName Table, string Name), RelationName> _keys = [];

    public IReadOnlyDictionary<RelationName, TableDefinition> Tables => _tables;

    /// <summary>Views, materialised views and foreign tables, with the kind in words.</summary>
    public IReadOnlyDictionary<RelationName, string> Others => _others;

    /// <exception cref="FormatException">A quote or comment is never closed, or a statement is none of a schema's.</exception>
    public static SchemaParts Read(string sql)
    {
        SchemaParts parts = new();
        SessionLines session = new();
        foreach (SqlStatement statement in SqlStatements.Split(sql))
        {
            SchemaStatements.Require(statement);
            if (!statement.IsMeta && !session.Take(statement))
                parts.Take(statement, session);
        }

        foreach ((RelationName subject, bool statistics, DefinitionStatement statement) in parts._statements)
            if (parts._tables.TryGetValue(parts._owners.GetValueOrDefault((subject, statistics), subject), out TableDefinition? table))
                table.Statements.Add(statement);
        foreach (((RelationName name, _), RelationName owner) in parts._owners.Where(one => parts._sequences.Contains(one.Key.Name)))
            parts._tables.GetValueOrDefault(owner)?.Sequences.Add(name);
        return parts;
    }

    /// <summary>A table's partitions and heirs, of all generations.</summary>
    public IEnumerable<TableDefinition> DescendantsOf(RelationName table)
    {
        HashSet<RelationName> seen = [table];
        for (bool found = true; found;)
        {
            found = false;
            foreach (TableDefinition child in _tables.Values.Where(one => !seen.Contains(one.Name) && one.Parents.Any(seen.Contains)).ToArray())
                found |= seen.Add(child.Name);
        }

        seen.Remove(table);
        return seen.Select(name => _tables[name]);
    }

    /// <summary>The views that read any of some tables, also by way of other views; in the dump's order.</summary>
    public IReadOnlyList<RelationName> ViewsOf(IEnumerable<RelationName> tables)
    {
        HashSet<RelationName> known = [.. tables];
        List<RelationName> views = [];
        foreach ((RelationName name, HashSet<RelationName> mentions) in _views)
        {
            if (!mentions.Overlaps(known))
                continue;
            known.Add(name);
            views.Add(name);
        }

        return views;
    }

    private void Take(SqlStatement statement, SessionLines session)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (tokens[0].Is("create"))
            Create(statement, session);
        else if (tokens[0].Is("alter"))
            Alter(statement, session);
        else if (tokens[0].Is("comment") && tokens.Count > 3)
            Attribute(statement, session, 2);
        else if (tokens[0].Is("security") && SqlNames.Find(tokens, "on") is var on and >= 0)
            Attribute(statement, session, on + 1);
        else if ((tokens[0].Is("grant") || tokens[0].Is("revoke")) && SqlNames.Find(tokens, "on") is var at and >= 0)
            Grant(statement, session, at + 1);
    }

    private void Add(RelationName subject, DefinitionStatement statement, bool statistics = false) =>
        _statements.Add((subject, statistics, statement with { Position = _statements.Count }));

    private void Create(SqlStatement statement, SessionLines session)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        int kind = tokens[1].Is("unlogged") || tokens[1].Is("unique") || tokens[1].Is("constraint") || tokens[1].Is("materialized") || tokens[1].Is("foreign") ? 2 : 1;
        if (kind >= tokens.Count)
            return;
        RelationName? name = SqlNames.At(tokens, kind + 1);
        if (tokens[kind].Is("table") && name is { } table)
            Table(statement, session, table, kind + 1, foreign: tokens[1].Is("foreign"));
        else if (tokens[kind].Is("sequence") && name is { } sequence)
        {
            _sequences.Add(sequence);
            Add(sequence, new DefinitionStatement(DefinitionPhase.Table, session.Around(statement.Text), $"SELECT 1 WHERE {sequence.Oid} IS NOT NULL"));
        }
        else if (tokens[kind].Is("view") && name is { } view)
            View(tokens, view, tokens[1].Is("materialized"));
        else if (tokens[kind].Is("index") && SqlNames.AfterWord(tokens, "on") is { } indexed)
        {
            _owners[(new RelationName(indexed.Schema, tokens[kind + 1].Value), false)] = indexed;
            Add(indexed, new DefinitionStatement(DefinitionPhase.Index, session.Around(statement.Text)));
        }
        else if (tokens[kind].Is("statistics") && name is { } statistics && SqlNames.AfterWord(tokens, "from") is { } counted)
        {
            _owners[(statistics, true)] = counted;
            Add(counted, new DefinitionStatement(DefinitionPhase.Rest, statement.Text));
        }
        else if ((tokens[kind].Is("trigger") || tokens[kind].Is("policy")) && SqlNames.AfterWord(tokens, "on") is { } there)
            Add(there, new DefinitionStatement(DefinitionPhase.Rest, statement.Text));
        else if (tokens[kind].Is("rule") && SqlNames.AfterWord(tokens, "to") is { } ruled)
            Add(ruled, new DefinitionStatement(DefinitionPhase.Rest, statement.Text));
    }

    private void Table(SqlStatement statement, SessionLines session, RelationName name, int at, bool foreign)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (foreign)
        {
            _others[name] = "foreign table";
            return;
        }

        int inherits = SqlNames.Find(tokens, "inherits");
        List<int> names = [at];
        for (int i = inherits + 1; inherits >= 0 && i < tokens.Count && !tokens[i].IsSymbol(')'); i++)
            if (SqlNames.At(tokens, i) is not null)
                (names, i) = ([.. names, i], i + 2);
        TableDefinition table = new(name)
        {
            IsPartitioned = SqlNames.Find(tokens, "partition") is var p and >= 0 && tokens[p + 1].Is("by"),
            CreateAs = rename => SqlNames.Replace(statement, names, rename),
        };
        table.Inherits.AddRange(names.Skip(1).Select(i => SqlNames.At(tokens, i)!.Value));
        table.Parents.AddRange(table.Inherits);
        _tables[name] = table;
        Add(name, new DefinitionStatement(DefinitionPhase.Table, session.Around(statement.Text)));
    }

    private void View(IReadOnlyList<SqlToken> tokens, RelationName name, bool materialised)
    {
        _others[name] = materialised ? "materialised view" : "view";
        HashSet<RelationName> mentions = [];
        for (int i = 0; i < tokens.Count; i++)
            if (SqlNames.At(tokens, i) is { } mentioned)
                mentions.Add(mentioned);
        mentions.Remove(name);
        _views.Add((name, mentions));
    }

    private void Alter(SqlStatement statement, SessionLines session)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        int at = tokens.Count > 2 && tokens[2].Is("only") ? 3 : 2;
        if (tokens[1].Is("publication") && SqlNames.AfterWord(tokens, "table") is { } published)
        {
            _tables.GetValueOrDefault(published)?.Publications.Add(tokens[2].Value);
            Add(published, new DefinitionStatement(DefinitionPhase.Rest, statement.Text, $"SELECT 1 WHERE NOT EXISTS ({TableDefinition.OurPublications} AND pubname = {SqlText.Literal(tokens[2].Value)})"));
        }

        if (SqlNames.At(tokens, at) is not { } name)
            return;
        if (tokens[1].Is("table"))
            AlterTable(statement, session, name, at + 3);
        else if (tokens[1].Is("sequence"))
        {
            if (SqlNames.AfterWord(tokens, "by") is { } owner && SqlNames.Find(tokens, "owned") >= 0)
                _owners[(name, false)] = owner;
            Add(name, new DefinitionStatement(DefinitionPhase.Table, statement.Text));
        }
        else if (tokens[1].Is("index") && tokens[at + 3].Is("attach") && SqlNames.At(tokens, at + 5) is { } child)
            Add(child, new DefinitionStatement(DefinitionPhase.IndexAttach, statement.Text, $"SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = {child.Oid}") { TouchesOthers = true });
        else if (tokens[1].Is("index") || tokens[1].Is("statistics"))
            Add(name, new DefinitionStatement(DefinitionPhase.Rest, statement.Text), tokens[1].Is("statistics"));
    }

    /// <param name="at">Of the token that says what is altered.</param>
    private void AlterTable(SqlStatement statement, SessionLines session, RelationName name, int at)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (tokens[at].Is("attach") && SqlNames.At(tokens, at + 2) is { } partition)
        {
            // Of the partition, and of the parent: whichever is made anew.
            DefinitionStatement attach = new(DefinitionPhase.Attach, statement.Text,
                $"SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = {partition.Oid} UNION ALL SELECT 1 WHERE {partition.Oid} IS NULL") { TouchesOthers = true };
            _tables.GetValueOrDefault(partition)?.Parents.Add(name);
            Add(partition, attach);
            Add(name, attach);
        }
        else if (tokens[at].Is("inherit") && SqlNames.At(tokens, at + 1) is { } parent)
        {
            _tables.GetValueOrDefault(name)?.Parents.Add(parent);
            Add(name, new DefinitionStatement(DefinitionPhase.Attach, statement.Text) { TouchesOthers = true });
        }
        else if (tokens[at].Is("add") && tokens[at + 1].Is("constraint"))
            Constraint(statement, session, name, at + 2);
        else
        {
            if (SqlNames.Find(tokens, "identity") >= 0 && SqlNames.AfterWord(tokens, "name", anyDepth: true) is { } sequence)
                (_owners[(sequence, false)], _) = (name, _sequences.Add(sequence));
            bool later = tokens[at].Is("cluster") || tokens[at].Is("replica") || tokens[at].Is("enable") || tokens[at].Is("disable") || tokens[at].Is("force");
            // The trigger may be one that a partition has from its parent.
            Add(name, new DefinitionStatement(later ? DefinitionPhase.Rest : DefinitionPhase.Table, statement.Text) { TouchesOthers = SqlNames.Find(tokens, "trigger", at) >= 0 });
        }
    }

    /// <param name="at">Of the constraint's name.</param>
    private void Constraint(SqlStatement statement, SessionLines session, RelationName table, int at)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (!tokens[at + 1].Is("foreign") || SqlNames.AfterWord(tokens, "references") is not { } referenced)
        {
            _owners[(new RelationName(table.Schema, tokens[at].Value), false)] = table;
            Add(table, new DefinitionStatement(DefinitionPhase.Index, session.Around(statement.Text)));
            return;
        }

        // Of both tables: whichever is made anew.
        DefinitionStatement key = new(DefinitionPhase.Rest, statement.Text, DefinitionStatement.UnlessKey(table, tokens[at].Value)) { References = referenced, TouchesOthers = true };
        _keys[(table, tokens[at].Value)] = referenced;
        Add(table, key);
        if (referenced != table)
            Add(referenced, key);
    }

    /// <summary>A comment, or a security label.</summary>
    /// <param name="at">Of the word that says of what.</param>
    private void Attribute(SqlStatement statement, SessionLines session, int at)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        bool named = tokens[at].Is("constraint") || tokens[at].Is("trigger") || tokens[at].Is("rule") || tokens[at].Is("policy");
        if (SqlNames.At(tokens, named ? at + 3 : at + 1) is not { } name)
            return;
        if (named && _keys.TryGetValue((name, tokens[at + 1].Value), out RelationName referenced))
        {
            // As the key itself, of both tables.
            DefinitionStatement comment = new(DefinitionPhase.Rest, statement.Text, $"SELECT 1 WHERE NOT EXISTS ({DefinitionStatement.Key(name, tokens[at + 1].Value)})") { TouchesOthers = true };
            Add(name, comment);
            Add(referenced, comment);
        }
        else
            Add(name, new DefinitionStatement(DefinitionPhase.Rest, session.Around(statement.Text)), tokens[at].Is("statistics"));
    }

    private void Grant(SqlStatement statement, SessionLines session, int at)
    {
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        if (!(tokens[at].Is("table") || tokens[at].Is("sequence")) || SqlNames.At(tokens, at + 1) is not { } name)
            return;
        int role = at + 5;
        string? grantee = role < tokens.Count && !tokens[role].Is("public") ? tokens[role].Value : null;
        string? unless = grantee is null ? null : $"SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {SqlText.Literal(grantee)})";
        Add(name, new DefinitionStatement(DefinitionPhase.Rest, session.Around(statement.Text), unless) { Grantee = grantee });
    }
}
