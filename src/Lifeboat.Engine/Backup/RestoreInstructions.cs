using System.Text;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Backup;

/// <summary><c>restore_instructions.md</c>: how to restore this snapshot by hand, with stock tools and without Lifeboat.</summary>
internal static class RestoreInstructions
{
    public const string FileName = "restore_instructions.md";

    /// <param name="chapters">Each source's own chapter.</param>
    public static string Write(SnapshotMetadata metadata, string bundleName, IEnumerable<string> chapters)
    {
        StringBuilder text = new();
        text.Append(
            $"""
            # How to restore this snapshot by hand

            A snapshot of the app **{metadata.App}**, made on {metadata.Host} at {metadata.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC
            by Lifeboat {metadata.LifeboatVersion}. With Lifeboat, one command restores and verifies all of it:

            ```sh
            lifeboat restore {bundleName}
            ```

            Without Lifeboat, the stock tools named below do. Every command is meant to be pasted into a shell
            **in the folder where the bundle was unpacked**.

            ## 1. Unpack the bundle

            Use 7-Zip 24 or newer (package `7zip`, program `7zz` or `7z`){(metadata.Encryption == "none" ? "" : ", which asks for the password")}:

            ```sh
            7zz x -osnapshot {bundleName}
            cd snapshot
            ```

            ## 2. Check that it is whole

            ```sh
            sha256sum --quiet -c {Checksums.FileName}
            ```

            It must print nothing and exit with status 0. Counts and digests of every table are in `{VerifiedSnapshot.MetadataFileName}`.

            ## 3. Restore each source


            """);
        foreach (string chapter in chapters)
            text.Append(chapter.TrimEnd()).Append("\n\n");
        return text.ToString().ReplaceLineEndings("\n").TrimEnd() + "\n";
    }
}
