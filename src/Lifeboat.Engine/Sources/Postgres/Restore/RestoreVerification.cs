using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Capture;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>Reads the staged database back and compares all of it with what was captured.</summary>
/// <param name="readBack">What was read of the tables while they were staged.</param>
/// <param name="createdRoles">Roles that the restore made: they must be as captured, while others are none of its business.</param>
/// <param name="unfilled">Materialised views that could not be filled, which has been said.</param>
/// <param name="reference">What captured definitions are compared by.</param>
internal sealed class RestoreVerification(
    RestoreTarget target, PreparedRestore prepared, TableReadBack readBack, IReadOnlySet<string> createdRoles, IReadOnlySet<PostgresMaterializedView> unfilled,
    ReferenceDatabase reference)
{
    private const int LargeObjectBlocksPerPart = 16384; // 128 MB in one COPY
    private const int StandardIcuLocales = 16; // From this major version on a locale's name is made the standard one.
    private readonly List<VerifyCheck> _checks = [];

    /// <summary>What rows did not let be made as it was, which has been said as well.</summary>
    public required UnfitRows Unfit { get; init; }

    private PostgresDetails Details => target.Details;

    public async Task<VerifyReport> RunAsync(CancellationToken cancellation)
    {
        await using PsqlSession session = await target.OpenStagingAsync(cancellation);
        await session.RestrictRelationsAsync(cancellation);
        PostgresCatalogue catalogue = await PostgresCatalogue.ReadAsync(session, cancellation);
        ExtensionRestore extensions = new(Details);
        SchemaVerification verification = new(
            target, prepared.KeepTablespaces, session.ServerMajor, extensions, await extensions.IdsAsync(session, cancellation), reference) { Unfit = Unfit };
        Task<IReadOnlyList<VerifyCheck>> schema = verification.RunAsync(cancellation);
        try
        {
            await CompareRowsAsync(session, catalogue, cancellation);
            await CompareSequencesAsync(session, catalogue, cancellation);
            await CompareCatalogueAsync(session, catalogue, cancellation);
            _checks.AddRange(await new ColumnOrder(target).CompareAsync(session, catalogue, cancellation));
            await AskExtensionsAsync(cancellation);
            await CompareDatabaseAsync(session, cancellation);
            await CompareRolesAsync(cancellation);
        }
        finally
        {
            await ((Task)schema).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _checks.AddRange(await schema);
        return new VerifyReport(_checks);
    }

    private void Check(string subject, string expected, string found) => _checks.Add(new VerifyCheck(subject, expected, found));

    private async Task CompareRowsAsync(PsqlSession session, PostgresCatalogue catalogue, CancellationToken cancellation)
    {
        Dictionary<(string, string), CatalogueRelation> there = catalogue.Relations.Where(static r => r.Kind == 'r').ToDictionary(static r => (r.Schema, r.Name));
        IReadOnlySet<uint> untouched = await UntouchedAsync(session, there, cancellation);
        List<TablePart> parts = [];
        for (int i = 0; i < Details.Tables.Count; i++)
        {
            if (!there.TryGetValue((Details.Tables[i].Schema, Details.Tables[i].Name), out CatalogueRelation? relation))
            {
                readBack.Forget(i);
            }
            else if (readBack.Of(i) is null || !untouched.Contains(relation.Oid))
            {
                readBack.Forget(i);
                parts.AddRange(await readBack.CutAsync(i, session, relation, cancellation));
            }
        }

        int largeObjects = Details.Tables.Count;
        TablePartition partition = new(target.Folder, Details.ServerEncoding, session.ServerMajor, LargeObjectBlocksPerPart);
        parts.AddRange(await new LargeObjectCapture(session, target.Folder).PlanAsync(largeObjects, catalogue.MayReadLargeObjects, partition, cancellation));
        await ReadAsync(parts, cancellation);
        for (int i = 0; i < Details.Tables.Count; i++)
        {
            TableMetadata expected = target.Captured.Tables![i];
            Check(
                $"table {expected.Name}", Describe(expected.Rows, expected.Bytes, expected.Digest),
                readBack.Of(i) is { } rows ? Describe(rows.Digest.Rows, rows.Bytes, rows.Digest.ToString()) : "no such table");
        }

        await CompareLargeObjectsAsync(session, readBack.Of(largeObjects) ?? default, cancellation);
    }

    /// <summary>
    /// The tables that, by the server's own count (<c>track_counts</c>; PostgreSQL manual, "The Cumulative Statistics System"), nobody has changed after they were
    /// loaded: what was read of them then still holds. The others are read again.
    /// </summary>
    private async Task<IReadOnlySet<uint>> UntouchedAsync(
        PsqlSession session, Dictionary<(string, string), CatalogueRelation> there, CancellationToken cancellation)
    {
        Dictionary<uint, long> loaded = [];
        foreach ((PostgresTable table, TableMetadata captured) in Details.Tables.Zip(target.Captured.Tables!))
            if (there.TryGetValue((table.Schema, table.Name), out CatalogueRelation? relation))
                loaded[relation.Oid] = captured.Rows;
        IReadOnlyList<string?[]> counted = await session.QueryAsync(
            $$"""
            SELECT t, pg_catalog.pg_stat_get_tuples_inserted(t)
            FROM pg_catalog.unnest('{ {{string.Join(',', loaded.Keys)}} }'::oid[]) t
            WHERE pg_catalog.pg_stat_get_tuples_updated(t) = 0 AND pg_catalog.pg_stat_get_tuples_deleted(t) = 0
            """,
            cancellation);
        return counted.Select(static row => (Oid: PostgresCatalogue.Oid(row[0]), Inserted: PostgresCatalogue.Number(row[1])))
            .Where(row => row.Inserted == loaded[row.Oid]).Select(static row => row.Oid).ToHashSet();
    }

    private async Task ReadAsync(List<TablePart> parts, CancellationToken cancellation)
    {
        ConcurrentQueue<TablePart> queue = new(parts.OrderByDescending(static part => part.Bytes));
        await SessionPool.RunAsync(
            Math.Min(target.Workers, parts.Count),
            target.OpenStagingAsync,
            async (session, token) =>
            {
                await TableReadBack.PrepareAsync(session, token);
                while (queue.TryDequeue(out TablePart? part))
                    await readBack.ReadAsync(session, part, token);
            },
            cancellation);
    }

    private async Task CompareLargeObjectsAsync(PsqlSession session, CopiedRows read, CancellationToken cancellation)
    {
        LargeObjectCapture objects = new(session, target.Folder);
        string count = await session.QueryOneAsync("SELECT count(*) FROM pg_catalog.pg_largeobject_metadata", cancellation) ?? "0";
        Check(
            "large objects",
            string.Create(CultureInfo.InvariantCulture, $"{Details.LargeObjects.Count} with {Details.LargeObjects.Rows} pages, {Details.LargeObjects.Digest}"),
            string.Create(CultureInfo.InvariantCulture, $"{count} with {read.Digest.Rows} pages, {read.Digest}"));
        if (!target.Snapshot.Sha256.TryGetValue(objects.ObjectsPath, out string? expected))
            return;
        using HashingStream hash = new();
        await objects.WriteObjectsAsync(hash, cancellation);
        Check("owners, rights and comments of large objects", expected, hash.Sha256());
    }

    private async Task CompareSequencesAsync(PsqlSession session, PostgresCatalogue catalogue, CancellationToken cancellation)
    {
        await session.ExecuteAsync("BEGIN READ ONLY", cancellation);
        IReadOnlyList<PostgresSequence> read = await SequenceReader.ReadAsync(session, [.. catalogue.Sequences], cancellation) ?? [];
        await session.ExecuteAsync("ROLLBACK", cancellation);
        Dictionary<(string, string), PostgresSequence> there = read.ToDictionary(static s => (s.Schema, s.Name));
        foreach (PostgresSequence sequence in Details.Sequences)
            Check(
                $"sequence {sequence.Schema}.{sequence.Name}", Value(sequence),
                there.TryGetValue((sequence.Schema, sequence.Name), out PostgresSequence? found) ? Value(found) : "no such sequence");
    }

    private static string Value(PostgresSequence sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{sequence.LastValue}{(sequence.IsCalled ? "" : ", not yet used")}");

    private async Task CompareCatalogueAsync(PsqlSession session, PostgresCatalogue catalogue, CancellationToken cancellation)
    {
        ILookup<(string, string), bool> views = catalogue.MaterializedViews.ToLookup(static v => (v.Schema, v.Name), static v => v.Populated);
        foreach (PostgresMaterializedView view in Details.MaterializedViews)
            Check(
                $"materialised view {view.Schema}.{view.Name}", view.Populated && !unfilled.Contains(view) ? "populated" : "not populated",
                views[(view.Schema, view.Name)].Select(static populated => populated ? "populated" : "not populated").FirstOrDefault("no such view"));
        // pg_dump leaves invalid indexes out, so any that is here failed to be built.
        Check("indexes that are not valid", "0", await session.QueryOneAsync(
            """
            SELECT count(*) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
            WHERE c.relkind = 'i' AND NOT (i.indisvalid AND i.indisready)
            """,
            cancellation) ?? "");
        Dictionary<string, PostgresExtension> there = (await PostgresDatabaseReader.ReadExtensionsAsync(session, cancellation)).ToDictionary(static e => e.Name);
        foreach (PostgresExtension extension in Details.Extensions)
        {
            PostgresExtension? found = there.GetValueOrDefault(extension.Name);
            string version(string of) => prepared.ExtensionVersions.ContainsKey(extension.Name) ? $"version {of} " : "";
            Check(
                $"extension {extension.Name}", $"{version(extension.Version)}in schema {extension.Schema}",
                found is null ? "not there" : $"{version(found.Version)}in schema {found.Schema}");
        }
    }

    /// <summary>The extensions' own answers, in a session that has seen nothing of the restore.</summary>
    private async Task AskExtensionsAsync(CancellationToken cancellation)
    {
        foreach (PostgresExtension extension in Details.Extensions.Where(static e => e.Questions is not null))
        {
            await using PsqlSession session = await target.OpenStagingAsync(cancellation);
            await session.ExecuteAsync("BEGIN READ ONLY", cancellation);
            // The questions are the program's own, about what is there now: those that were captured must be among them, and are not run.
            IReadOnlyList<PostgresQuestion> asked = await AskAsync(session, extension.Name, cancellation);
            foreach (PostgresQuestion question in extension.Questions!)
                Check(
                    $"extension {extension.Name}: {question.Sql}", question.Answer,
                    asked.FirstOrDefault(one => one.Sql == question.Sql)?.Answer ?? asked.FirstOrDefault(static one => one.Sql.Length == 0)?.Answer ?? "nothing to ask this about");
        }
    }

    /// <summary>An extension that does not answer is a difference, not a failure of the restore's own.</summary>
    private static async Task<IReadOnlyList<PostgresQuestion>> AskAsync(PsqlSession session, string extension, CancellationToken cancellation)
    {
        try
        {
            if (KnownExtensions.Find(extension) is not { QuestionsSql: { } sql } known)
                return [new PostgresQuestion("", "not asked: this program does not know the extension")];
            string[] questions = [.. (await session.QueryAsync(sql, cancellation)).Select(static row => row[0]!)];
            return [.. questions.Zip(await ExtensionReader.AnswersAsync(session, known, questions, cancellation), static (question, answer) => new PostgresQuestion(question, answer))];
        }
        catch (LifeboatException e) when (PostgresError.Of(e) is { } error)
        {
            return [new PostgresQuestion("", error.Message)];
        }
    }

    private async Task CompareDatabaseAsync(PsqlSession session, CancellationToken cancellation)
    {
        PostgresDatabase expected = prepared.Database;
        PostgresDatabase found = await OpenedAsync(session, cancellation);
        Check("database's owner", expected.Owner, found.Owner);
        Check("database's encoding", expected.Encoding, found.Encoding);
        bool renamed = expected.LocaleProvider == "icu" && Details.ServerVersionNumber / 10000 < StandardIcuLocales && session.ServerMajor >= StandardIcuLocales;
        Check("database's locale", Locale(renamed ? expected with { Locale = await StandardLocaleAsync(session, expected.Locale!, cancellation) } : expected), Locale(found));
        if (prepared.KeepTablespaces)
            Check("database's tablespace", expected.Tablespace, found.Tablespace);
        Check(
            "database's limits", string.Create(CultureInfo.InvariantCulture, $"{expected.ConnectionLimit} {expected.IsTemplate}"),
            string.Create(CultureInfo.InvariantCulture, $"{found.ConnectionLimit} {found.IsTemplate}"));
        Check("database's comment", expected.Comment ?? "", found.Comment ?? "");
        Check("database's rights", Rights(expected, session.IsSuperuser), Rights(found, session.IsSuperuser));
        Check("database's settings", Settings(expected), Settings(found));
        Check("database's security labels", string.Join("; ", expected.SecurityLabels), string.Join("; ", found.SecurityLabels));
    }

    /// <summary>The database as it will be when it is opened to others.</summary>
    private async Task<PostgresDatabase> OpenedAsync(PsqlSession session, CancellationToken cancellation)
    {
        string sql = NameText.ForSession(string.Join(";\n", prepared.Access(Details).Sql(target.Names.Staging, session.User, session.IsSuperuser)), session);
        await session.ExecuteAsync("BEGIN", cancellation);
        try
        {
            await session.ExecuteAsync(sql, cancellation);
            return await PostgresDatabaseReader.ReadAsync(session, cancellation);
        }
        finally
        {
            await session.ExecuteAsync("ROLLBACK", CancellationToken.None);
        }
    }

    /// <summary>The standard name that the server gives an ICU locale, as it does when a database or collation is created.</summary>
    private static async Task<string?> StandardLocaleAsync(PsqlSession session, string locale, CancellationToken cancellation)
    {
        await session.ExecuteAsync("BEGIN", cancellation);
        try
        {
            await session.ExecuteAsync($"CREATE COLLATION pg_temp.lifeboat_locale (PROVIDER = icu, LOCALE = {SqlText.Literal(locale)})", cancellation);
            return await session.QueryOneAsync(
                "SELECT coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale') FROM pg_catalog.pg_collation c WHERE collname = 'lifeboat_locale'", cancellation);
        }
        finally
        {
            await session.ExecuteAsync("ROLLBACK", CancellationToken.None);
        }
    }

    private static string Locale(PostgresDatabase database) => string.Join(' ', database.LocaleProvider, database.Collate, database.Ctype, database.Locale, database.IcuRules);

    /// <summary>Who is no superuser can only write the built-in rights as a list.</summary>
    private static string Rights(PostgresDatabase database, bool superuser)
    {
        IReadOnlyList<PostgresGrant>? acl = database.Acl ?? (superuser ? null : DatabaseAccess.BuiltIn(database.Owner));
        return acl is null
            ? "the built-in ones"
            : string.Join("; ", acl.Select(static g => $"{g.Privilege} to {g.Grantee ?? "PUBLIC"}{(g.Grantable ? " grantable" : "")} by {g.Grantor}").Order(StringComparer.Ordinal));
    }

    private static string Settings(PostgresDatabase database) =>
        string.Join("; ", database.Settings.Select(static s => $"{s.Role} {s.Name}={s.Value}").Order(StringComparer.Ordinal));

    private async Task CompareRolesAsync(CancellationToken cancellation)
    {
        Globals captured = await target.CapturedGlobalsAsync(cancellation);
        Globals there = await target.TargetGlobalsAsync(prepared.Rights.Superuser, cancellation);
        foreach (GlobalRole role in prepared.Roles.Create)
        {
            if (!createdRoles.Contains(role.Name) || !there.Roles.TryGetValue(role.Name, out GlobalRole? found))
                Check($"role {role.Name}", "as captured", "not there");
            else
                Check($"role {role.Name}", "as captured", string.Join("; ", role.DifferencesTo(found, captured.HasPasswords && prepared.Rights.Superuser)) is { Length: > 0 } d ? d : "as captured");
        }

        foreach (Grant grant in prepared.Roles.Grant)
            Check($"role {grant.Pair.To} is {grant.Words}", "as captured", there.Grants.Any(grant.SameAs) ? "as captured" : "not so, or with other options");
    }

    private static string Describe(long rows, long bytes, string digest) => string.Create(CultureInfo.InvariantCulture, $"{rows} rows, {bytes} bytes, {digest}");
}
