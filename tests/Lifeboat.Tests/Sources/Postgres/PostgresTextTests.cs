using System.Text;
using Lifeboat.Engine.Apps;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Secrets;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.Postgres.Catalogue;
using Lifeboat.Engine.Sources.Postgres.Sessions;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Tests.Sources.Postgres;

public sealed class PostgresTextTests
{
    private const string Defaults =
        "application_name=lifeboat&connect_timeout=15&keepalives_idle=30&keepalives_interval=15&keepalives_count=4&tcp_user_timeout=90000&client_encoding=UTF8&options=" + Options;

    private const string Options =
        "-c%20search_path%3Dpg_catalog%2C%5C%20pg_temp%20-c%20DateStyle%3DISO%2C%5C%20MDY%20-c%20IntervalStyle%3Dpostgres%20-c%20TimeZone%3DUTC%20-c%20extra_float_digits%3D3"
        + "%20-c%20bytea_output%3Dhex%20-c%20lc_monetary%3DC%20-c%20xmloption%3Dcontent%20-c%20xmlbinary%3Dbase64%20-c%20array_nulls%3Don%20-c%20standard_conforming_strings%3Don"
        + "%20-c%20backslash_quote%3Dsafe_encoding%20-c%20quote_all_identifiers%3Doff%20-c%20row_security%3Doff%20-c%20check_function_bodies%3Doff%20-c%20client_min_messages%3Dwarning"
        + "%20-c%20statement_timeout%3D0%20-c%20lock_timeout%3D0%20-c%20idle_in_transaction_session_timeout%3D0%20-c%20default_transaction_read_only%3Doff"
        + "%20-c%20default_transaction_isolation%3Dread%5C%20committed%20-c%20default_transaction_deferrable%3Doff%20-c%20transform_null_equals%3Doff%20-c%20synchronize_seqscans%3Doff"
        + "%20-c%20gin_fuzzy_search_limit%3D0%20-c%20exit_on_error%3Doff%20-c%20jit%3Doff%20-c%20default_tablespace%3D%20-c%20temp_tablespaces%3D"
        + "%20-c%20default_table_access_method%3Dheap%20-c%20local_preload_libraries%3D";

    [Theory]
    [InlineData("postgresql://odoo@/archive", "postgresql://odoo@/archive?", "postgresql://odoo@/new%20db?")]
    [InlineData("postgresql://", "postgresql:///?", "postgresql:///new%20db?")]
    [InlineData("postgres://db", "postgresql://db/?", "postgresql://db/new%20db?")]
    [InlineData("postgresql://u:secret@h1:1,h2:2/a%2Fb?sslmode=require", "postgresql://u@h1:1,h2:2/a%2Fb?sslmode=require&",
        "postgresql://u@h1:1,h2:2/new%20db?sslmode=require&")]
    [InlineData("postgresql://[::1]:5432/x", "postgresql://[::1]:5432/x?", "postgresql://[::1]:5432/new%20db?")]
    [InlineData("postgresql:///x?host=/var/run/pg&port=5433&password=secret", "postgresql:///x?host=/var/run/pg&port=5433&",
        "postgresql:///new%20db?host=/var/run/pg&port=5433&")]
    [InlineData("postgresql://?service=shop", "postgresql:///?service=shop&", "postgresql:///new%20db?service=shop&")]
    [InlineData("postgresql+psycopg2://u@h/x?dbname=y", "postgresql://u@h/y?", "postgresql://u@h/new%20db?")]
    [InlineData("postgresql://%2Fvar%2Frun/x", "postgresql://%2Fvar%2Frun/x?", "postgresql://%2Fvar%2Frun/new%20db?")]
    public async Task A_uri_is_kept_but_for_its_password(string given, string expected, string elsewhere)
    {
        PostgresConnection connection = await ConnectionAsync(given);
        Assert.Equal(expected + Defaults, connection.Uri);
        Assert.Equal(elsewhere + Defaults, connection.WithDatabase("new db").Uri);
        Assert.DoesNotContain("secret", connection + connection.Target, StringComparison.Ordinal);
        Assert.Equal(given.Contains("secret", StringComparison.Ordinal) ? "secret" : null, connection.Password?.Reveal());
    }

    [Fact]
    public async Task What_the_app_file_sets_is_not_overridden()
    {
        PostgresConnection connection = await ConnectionAsync("postgresql://h/x?application_name=mine&options=-c%20role%3Dme&connect_timeout=3");
        Assert.StartsWith("postgresql://h/x?application_name=mine&connect_timeout=3&keepalives", connection.Uri, StringComparison.Ordinal);
        Assert.EndsWith("&options=-c%20role%3Dme%20" + Options, connection.Uri, StringComparison.Ordinal);
        Assert.True(connection.ChoosesRole);
        Assert.False((await ConnectionAsync("postgresql://h/x?options=-c%20my.role%3Dme")).ChoosesRole);
    }

    [Theory]
    [InlineData("shop", "dbname='shop'")]
    [InlineData("a=b", "dbname='a=b'")]
    [InlineData("it's \\ a", "dbname='it\\'s \\\\ a'")]
    public void A_database_is_never_a_bare_name_for_a_program(string name, string expected) => Assert.Equal(expected, PostgresConnection.DatabaseArgument(name));

    [Fact]
    public async Task Another_user_begins_without_what_only_the_first_may_set()
    {
        PostgresConnection connection = await ConnectionAsync("postgresql://boss:secret@h/x?passfile=/f");
        PostgresConnection other = connection.WithStartSetting("event_triggers", "off").WithLogin("some one", new Secret("other"));
        Assert.Equal("postgresql://some%20one@h/x?" + Defaults, other.Uri);
        Assert.Equal("other", other.Password!.Reveal());
    }

    [Theory]
    [InlineData("mysql://h/x")]
    [InlineData("host=h dbname=x")]
    [InlineData("postgresql://h/x?novalue")]
    [InlineData("postgresql://h/x?sslpassword=y")]
    public async Task What_is_no_uri_or_would_show_a_secret_is_refused(string given) =>
        Assert.Equal(ErrorCodes.PostgresUrlInvalid, (await Assert.ThrowsAsync<LifeboatException>(() => ConnectionAsync(given))).Code);

    [Fact]
    public void Pieces_of_a_row_hash_as_the_whole()
    {
        byte[] data = new byte[1000];
        new Random(7).NextBytes(data);
        Random cuts = new(8);
        for (int length = 0; length < 300; length++)
        {
            ReadOnlySpan<byte> row = data.AsSpan(0, length);
            TableDigest whole = default;
            whole.Add(row);
            TableDigest pieces = default;
            int first = cuts.Next(length + 1), second = cuts.Next(first, length + 1);
            pieces.BeginRow(row[..first], continued: false);
            pieces.BeginRow(row[first..second], continued: true);
            pieces.EndRow(row[second..]);
            Assert.Equal(whole.ToString(), pieces.ToString());
            Assert.Equal(1, pieces.Rows);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1 << 20)]
    public void Output_is_read_alike_however_it_arrives(int chunk)
    {
        byte[] huge = [.. Enumerable.Repeat((byte)'h', 700_000)];
        byte[] text = [.. "1\ta\n"u8, .. huge, .. "\n\n\\N\n"u8, .. huge.AsSpan(0, 262_143),
            .. "\n\\! 5 false.00000 4 UTF8\nnext\n\\! 6 true.22P02 :ROW_COUNT SJIS\n"u8];
        PsqlOutput output = new(new Chunks(text, chunk));
        using MemoryStream rows = new();
        (CommandEnd? end, CopiedRows copied) = output.ReadCommand(rows, null);
        Assert.Equal(new CommandEnd(5, CommandEnd.Done, 4, "UTF8"), end);
        Assert.Equal(text[..(text.Length - "\\! 5 false.00000 4 UTF8\nnext\n\\! 6 true.22P02 :ROW_COUNT SJIS\n".Length)], rows.ToArray());
        TableDigest expected = default;
        foreach (ReadOnlySpan<byte> row in (byte[][])["1\ta"u8.ToArray(), huge, [], "\\N"u8.ToArray(), huge[..262_143]])
            expected.Add(row);
        Assert.Equal(expected, copied.Digest);
        Assert.Equal(rows.Length, copied.Bytes);
        (end, copied) = output.ReadCommand(Stream.Null, null);
        Assert.Equal(new CommandEnd(6, "true.22P02", 0, "SJIS"), end);
        Assert.Equal(1, copied.Digest.Rows);
        Assert.Null(output.ReadCommand(Stream.Null, null).End);
    }

    [Fact]
    public void Errors_are_found_in_any_language_and_notices_are_not_taken_for_them()
    {
        PostgresError? error = PostgresError.Parse(
        [
            "NOTICE:  00000: all is well", "FEHLER:  42P01: Relation »x« existiert nicht", "ZEILE 1: SELECT", "DETAIL:  so", "is it",
                "HINT:  do", "LOCATION:  f, p.c:1",
        ]);
        Assert.Equal(new PostgresError("42P01", "Relation »x« existiert nicht\nZEILE 1: SELECT", "so\nis it", "do"), error);
        Assert.Null(PostgresError.Parse(["nothing", "NOTICE:  00000: x"]));
    }

    [Fact]
    public async Task The_schema_digest_ignores_versions_and_keys_alone()
    {
        const string body = "CREATE FUNCTION f() AS $$\r\n\\restrict me\n\\unrestrict x\n-- x\n$$\n";
        const string head = "--\n-- PostgreSQL database dump\n--\n\n";
        string otherBody = body.Replace("-- x", "-- y", StringComparison.Ordinal);
        (byte[] one, string first) = await Normalize(
            $"{head}\\restrict AbC\n\n-- Dumped from database version 15.1\n{body}\\unrestrict AbC\n\n");
        (_, string second) = await Normalize($"{head}\n-- Dumped from database version 15.2\n{body}\n");
        (_, string other) = await Normalize($"{head}\n-- Dumped from database version 15.2\n{otherBody}\n");
        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
        Assert.Equal($"--\n-- PostgreSQL database dump\n--\n\n\n-- Dumped from database version 15.1\n{body}\n",
            Encoding.UTF8.GetString(one));
    }

    [Fact]
    public void Parts_cover_all_pages_once_and_their_names_differ()
    {
        TablePartition partition = new("d", "UTF8", 15, 100);
        PostgresTable table = new("public", "t", ["a"], "table", false);
        CatalogueRelation relation = new(1, "public", "t", "public.t", 'r', false, false, 250, 250 * 8192, true, true, false, true, null,
            -1, "");
        IReadOnlyList<TablePart> parts = partition.Cut(0, relation, table, "public.t"u8);
        Assert.Equal(["d/public.t.0001.copy", "d/public.t.0002.copy", "d/public.t.0003.copy"], parts.Select(static p => p.Path));
        Assert.Contains("ctid >= '(0,0)' AND ctid < '(100,0)'", parts[0].Sql, StringComparison.Ordinal);
        Assert.Contains("ctid >= '(100,0)' AND ctid < '(200,0)'", parts[1].Sql, StringComparison.Ordinal);
        Assert.Contains("WHERE ctid >= '(200,0)')", parts[2].Sql, StringComparison.Ordinal);
        string[] others = [.. new[] { "public.T", "public.t.0001", "PUBLIC.t" }
            .SelectMany(name => partition.Cut(0, relation with { Pages = 1 }, table, Encoding.UTF8.GetBytes(name)))
            .Select(static p => p.Path)];
        Assert.Equal(3, others.Concat(parts.Select(static p => p.Path)).Distinct(StringComparer.OrdinalIgnoreCase).Count() - 3);
        Assert.Single(new TablePartition("d", "UTF8", 13, 100).Cut(0, relation, table, "public.t"u8));
    }

    private static async Task<(byte[] Text, string Digest)> Normalize(string text) =>
        await SchemaText.NormalizeAsync(Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken);

    private static Task<PostgresConnection> ConnectionAsync(string url) =>
        PostgresConnection.FromAsync(new PostgresSettings("main", url, null, null, []), new None(), TestContext.Current.CancellationToken);

    private sealed class None : ISecretResolver
    {
        public Task<Secret> ResolveAsync(SecretReference reference, CancellationToken cancellation) =>
            throw new InvalidOperationException();
    }

    /// <summary>Gives its bytes a few at a time.</summary>
    private sealed class Chunks(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, chunk));
    }
}
