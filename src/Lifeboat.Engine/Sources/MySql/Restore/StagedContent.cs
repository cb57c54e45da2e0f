using System.Text;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Capture;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>Builds the staged database: tables, rows, keys, then everything that refers to them.</summary>
internal sealed partial class StagedContent(RestoreTarget target)
{
    private readonly List<DeferredTable> _tables = [];

    /// <summary>The empty database, its sequences, and its tables without what is built behind the rows.</summary>
    public async Task CreateAsync(CancellationToken cancellation)
    {
        await using (MySqlSession session = await target.OpenAsync(cancellation))
            await session.ExecuteAsync($"CREATE DATABASE {SqlText.Identifier(target.Names.Staging)} {target.Details.DatabaseOptions}", cancellation);
        await using MySqlSession staging = await target.OpenStagingAsync(cancellation);
        foreach (string create in await target.SequencesAsync(cancellation))
            await staging.ExecuteAsync(Bytes(create), cancellation);
        // A table whose files are in a directory of its own cannot be renamed into another database: MariaDB loses it.
        await staging.ExecuteAsync($"SET sql_mode = '{Definitions.Mode},NO_DIR_IN_CREATE'", cancellation);
        IReadOnlyList<string> creates = await target.TablesAsync(cancellation);
        for (int i = 0; i < creates.Count; i++)
        {
            string create = OutwardKey.Without(creates[i], target.HasTable);
            _tables.Add(DeferredTable.Of(target.Details.Tables[i].Name, Placed(create, target.Details.Database, target.Names.Staging)));
            await staging.ExecuteAsync(Bytes(_tables[i].Create), cancellation);
        }
    }

    /// <summary>Gives what loads the tables, builds their keys, and reads some of them back meanwhile.</summary>
    public async Task<TableLoad> PrepareLoadAsync(TableReadBack readBack, CancellationToken cancellation)
    {
        await using MySqlSession staging = await target.OpenStagingAsync(cancellation);
        return new TableLoad(target, _tables, await TableCatalogue.ReadAsync(staging, target.Names.Staging, cancellation), readBack);
    }

    /// <summary>Where sequences stand; routines, views, triggers and events in the staged database, where events do not run.</summary>
    public async Task ObjectsAsync(CancellationToken cancellation)
    {
        await using MySqlSession staging = await target.OpenStagingAsync(cancellation);
        foreach (MySqlSequence sequence in target.Details.Sequences)
            await staging.ExecuteAsync(CaptureScripts.SetValue(sequence), cancellation);
        await CreateAsync(staging, await target.ObjectsAsync(cancellation), target.Details.Database, target.Names.Staging, awake: false, cancellation);
    }

    /// <summary>
    /// Creates objects in the session's database. Views are our own account's for now: a view over another can only be made where its definer has rights,
    /// which are on the live database. Meanwhile they show everybody what he may see himself, and no function in them runs with our rights.
    /// </summary>
    /// <param name="from">The database that their texts name.</param>
    /// <param name="awake">Whether events are to run that did.</param>
    public static async Task CreateAsync(
        MySqlSession session, IReadOnlyList<Definition> objects, string from, string to, bool awake, CancellationToken cancellation)
    {
        foreach (Definition one in objects)
        {
            foreach (string sql in one.Statements)
            {
                bool create = ReferenceEquals(sql, one.Create);
                string text = create && one.Kind == "view" ? AsOurs(Placed(sql, from, to)) : create && one.Kind == "event" && !awake ? Events.Asleep(sql) : sql;
                await session.ExecuteAsync(Bytes(text), cancellation);
            }
        }

        await session.ExecuteAsync(Definitions.Reset, cancellation);
    }

    /// <summary>Gives the views of the session's database, which is the live one, to their definers.</summary>
    public static async Task DefineViewsAsync(
        MySqlSession session, IReadOnlyList<Definition> objects, string from, string to, CancellationToken cancellation)
    {
        foreach (Definition view in objects.Where(static one => one.Kind == "view" && Definer().IsMatch(one.Create)))
        {
            foreach (string sql in view.Statements)
                await session.ExecuteAsync(Bytes(ReferenceEquals(sql, view.Create) ? Definer().Replace(Placed(sql, from, to), "CREATE OR REPLACE $1$2$3", 1) : sql), cancellation);
        }

        await session.ExecuteAsync(Definitions.Reset, cancellation);
    }

    /// <summary>The definition of a view of the same text that is our own account's, and lends its rights to nobody.</summary>
    public static string AsOurs(string create) => Definer().Replace(
        create, static head => $"CREATE {head.Groups[1].Value}DEFINER=CURRENT_USER {(head.Groups[3].Length > 0 ? "SQL SECURITY INVOKER " : "")}", 1);

    /// <summary>Looks whether the views of the session's database have the definers, and the rights to run with, that they shall have.</summary>
    /// <exception cref="LifeboatException">One has not.</exception>
    public static async Task RequireDefinersAsync(
        MySqlSession session, IReadOnlyList<Definition> objects, string source, CancellationToken cancellation)
    {
        foreach (Definition view in objects.Where(static one => one.Kind == "view"))
        {
            string made = (await session.ShowAsync($"SHOW CREATE VIEW {SqlText.Identifier(view.Name)}", cancellation, Encoding.Latin1))[0][1];
            if (Definer().Match(made).Value != Definer().Match(view.Create).Value)
                throw new LifeboatException(
                    ErrorCodes.RestoredDiffers, $"view {view.Name} is not its definer's: the server says {Definer().Match(made).Value.Trim()}",
                    "the switch is taken back; compare SHOW CREATE VIEW with objects.sql in the snapshot", source);
        }
    }

    /// <summary>A text of the server's own making, with the names in it that are qualified by one database qualified by another.</summary>
    public static string Placed(string sql, string from, string to) =>
        QualifiedNames.Replace(sql, Definitions.Latin1(from), Definitions.Latin1(to));

    [GeneratedRegex(@"^CREATE (ALGORITHM=\w+ )?(DEFINER=`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)? )(SQL SECURITY \w+ )?")]
    private static partial Regex Definer();

    private static byte[] Bytes(string latin1) => Encoding.Latin1.GetBytes(latin1);
}
