using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Postgres.Sessions;

namespace Lifeboat.Engine.Sources.Postgres.Parts;

/// <summary>Tables like captured ones in a schema of ours, which rows can be loaded into.</summary>
internal sealed class StagedTables
{
    private readonly IReadOnlyList<SelectedTable> _tables;

    public StagedTables(IReadOnlyList<SelectedTable> tables, string schema, RestoreMode mode)
    {
        _tables = [.. tables.Where(static one => one.Captured is not null)];
        Names = _tables.ToDictionary(static one => one.Name, one => new RelationName(
            schema, mode == RestoreMode.Beside ? Beside(one, tables) : string.Create(CultureInfo.InvariantCulture, $"t{one.Number}")));
    }

    /// <summary>What each table is called there.</summary>
    public IReadOnlyDictionary<RelationName, RelationName> Names { get; }

    /// <summary>A table's name among those that people look at: its own, unless another schema's table has it too.</summary>
    public static string Beside(SelectedTable table, IReadOnlyList<SelectedTable> all) =>
        all.Count(other => other.Name.Name == table.Name.Name) == 1 ? table.Name.Name : table.Name.ToString();

    /// <summary>
    /// Makes them by their own CREATE TABLE. Where that names tables to inherit from, they give the columns, and are left at once, lest the staged rows appear in them.
    /// </summary>
    /// <exception cref="LifeboatException">The server refuses one.</exception>
    public async Task CreateAsync(PsqlSession session, CancellationToken cancellation)
    {
        RelationName here(RelationName name) => Names.GetValueOrDefault(name, name);
        foreach (SelectedTable table in InOrder)
            await session.ExecuteAsync(table.Definition.CreateAs(here), cancellation);
        foreach (SelectedTable table in _tables)
            foreach (RelationName parent in table.Definition.Inherits)
                await session.ExecuteAsync($"ALTER TABLE {here(table.Name).Quoted} NO INHERIT {here(parent).Quoted}", cancellation);
    }

    /// <summary>Makes those that the server takes, to see which.</summary>
    /// <returns>The refusal for each table that has one.</returns>
    public async Task<IReadOnlyDictionary<SelectedTable, LifeboatException>> TryAsync(PsqlSession session, CancellationToken cancellation)
    {
        Dictionary<SelectedTable, LifeboatException> refused = [];
        foreach (SelectedTable table in InOrder)
        {
            string create = table.Definition.CreateAs(name => Names.GetValueOrDefault(name, name));
            if (await Trial.RunAsync(session, token => session.ExecuteAsync(create, token), cancellation) is { } refusal)
                refused[table] = refusal;
        }

        return refused;
    }

    private IEnumerable<SelectedTable> InOrder => _tables.OrderBy(static one => one.Definition.Statements[0].Position);
}
